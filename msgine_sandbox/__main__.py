"""`python -m msgine_sandbox`."""

from msgine_sandbox.cli import main

main()

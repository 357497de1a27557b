"""`python -m msgine_sandbox`, and the command `msgine-sandbox`."""

import gc

# Nothing that is imported is garbage, and to look for some takes a tenth of the start. The server
# enables the collector once it is built.
gc.disable()

from msgine_sandbox.cli import main  # noqa: E402

if __name__ == "__main__":
    main()

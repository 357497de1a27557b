"""`msgine-sandbox mcp`: the sandbox as tools of a coding agent."""

import click

from msgine_sandbox.cli.remote import RemoteSandbox, on_a_sandbox


@click.command()
@on_a_sandbox
def mcp(sandbox: RemoteSandbox) -> None:
    """Serve the Model Context Protocol on standard input and output.

    A coding agent starts this command itself. It needs: pip install 'msgine-sandbox[mcp]'
    """
    try:
        from msgine_sandbox.cli.mcp_server import serve
    except ImportError as error:  # there is no package `mcp`, or one before version 2
        raise click.UsageError("mcp needs: pip install 'msgine-sandbox[mcp]'") from error
    serve(sandbox)

"""`tnimport completion`: the script that a shell reads to complete our commands."""

import click

_WHERE = {
    "bash": 'eval "$(tnimport completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(tnimport completion zsh)"   in ~/.zshrc',
    "fish": "tnimport completion fish > ~/.config/fish/completions/tnimport.fish",
}


@click.command(epilog="To keep it: " + "; ".join(_WHERE.values()))
@click.argument("shell", type=click.Choice(list(_WHERE)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - --help needs none of it

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"This version of click knows no completion for {shell}.")
    click.echo(kind(context.find_root().command, {}, "tnimport", "_TNIMPORT_COMPLETE").source())

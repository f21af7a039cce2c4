"""The command line: ``groundplane``."""

from __future__ import annotations

import importlib

import click

# Each subcommand's module is imported only when it is asked for, so that --help answers at once.
COMMANDS = {
    "binding": ("groundplane.cli.binding", "binding"),
    "doctor": ("groundplane.cli.doctor", "doctor"),
    "down": ("groundplane.cli.down", "down"),
    "exec": ("groundplane.cli.execute", "execute"),
    "generate": ("groundplane.cli.generate", "generate"),
    "kubeconfig": ("groundplane.cli.kubeconfig", "kubeconfig"),
    "logs": ("groundplane.cli.logs", "logs"),
    "provider": ("groundplane.cli.provider", "provider"),
    "render": ("groundplane.cli.render", "render"),
    "serve": ("groundplane.function.server", "command"),
    "status": ("groundplane.cli.status", "status"),
    "ui": ("groundplane.cli.ui", "ui"),
    "up": ("groundplane.cli.up", "up"),
}


class Commands(click.Group):
    """A group whose subcommands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand of that name, or None."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, name = COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(module), name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Stateful services behind versioned claims: serve the function, or see what it would do."""


if __name__ == "__main__":
    main()

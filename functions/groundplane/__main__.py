"""The command line: ``groundplane``."""

from __future__ import annotations

import importlib

import click

# Each subcommand's module is imported only when it is asked for, so that --help answers at once.
COMMANDS = {
    "binding": ("groundplane.local.commands.binding", "binding"),
    "doctor": ("groundplane.doctor.command", "doctor"),
    "down": ("groundplane.local.commands.down", "down"),
    "exec": ("groundplane.local.commands.execute", "execute"),
    "generate": ("groundplane.generate.files", "command"),
    "kubeconfig": ("groundplane.local.commands.kubeconfig", "kubeconfig"),
    "logs": ("groundplane.local.commands.logs", "logs"),
    "provider": ("groundplane.local.provider.command", "provider"),
    "render": ("groundplane.render.command", "render"),
    "serve": ("groundplane.function.server", "command"),
    "status": ("groundplane.local.commands.status", "status"),
    "ui": ("groundplane.local.page.command", "ui"),
    "up": ("groundplane.local.commands.up", "up"),
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

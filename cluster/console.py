"""Where tables are printed."""

from rich.console import Console


class PipedConsole(Console):
    """Treats a reader that has gone as `print` does. Rich itself ends the process with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise  # the BrokenPipeError that rich has just caught

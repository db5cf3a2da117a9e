"""`cartum-roapp`: combines the commands, and turns the end of a command into an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from cartum_roapp.cli import (
    accounts,
    alerts,
    backfills,
    backup,
    customers,
    demo,
    doctor,
    foreground,
    held,
    match,
    orders,
    record,
    runs,
    shop_checks,
    shop_files,
    shops,
    systemd,
    up,
    watch,
)
from cartum_roapp.cli.arguments import example
from cartum_roapp.cli.output import (
    BAD_INPUT,
    DONE,
    FAILED,
    INTERRUPTED,
    CommandEnd,
    Json,
    failure,
    is_plain,
    opened,
    print_failure,
    say,
    show,
)

if TYPE_CHECKING:
    from cartum_roapp.errors import IntegrationError

app = typer.Typer(
    name="cartum-roapp",
    help="Syncs the orders of Cartum (Horoshop) shops into RO App, with their customers and products.",
    epilog=example("shop apply my-shop.yaml"),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(accounts.app, name="account")
shops.app.add_typer(shop_checks.app)
shops.app.add_typer(shop_files.app)
app.add_typer(shops.app, name="shop")
held.app.command("replay", epilog=example("held replay my-shop --all"))(runs.replay)
app.add_typer(held.app, name="held")
app.add_typer(customers.app, name="customer")
orders.app.command("resend", epilog=example("order resend my-shop 1001 1002"))(runs.resend)
app.add_typer(orders.app, name="order")
app.add_typer(match.app, name="match")
app.command("demo", epilog=example("demo --keep"))(demo.demo)
app.command("up", epilog=example("up"))(up.up)
app.command("ui", epilog=example("ui --open"))(up.ui)
app.command("down", epilog=example("down"))(up.down)
app.command("backup", epilog=example("backup cartum-roapp.backup --with-keys"))(backup.backup)
app.command("doctor", epilog=example("doctor"))(doctor.doctor)
app.command("restore", epilog=example("restore cartum-roapp.backup"))(backup.restore)
app.command("worker", epilog=example("worker"))(foreground.worker)
app.command("console", epilog=example("console --port 8321"))(foreground.console)
app.command("import", epilog=example("import my-shop"))(runs.import_)
app.command("sync", epilog=example("sync my-shop"))(runs.sync)
app.command("record", epilog=example("record my-shop answers.jsonl"))(record.record)
app.add_typer(backfills.app, name="backfill")
app.command("reconcile", epilog=example("reconcile my-shop --repair"))(runs.reconcile)
app.command("status", epilog=example("status my-shop"))(watch.status)
app.add_typer(systemd.app, name="service")
app.command("alerts", epilog=example("alerts slack-webhook/ops"))(alerts.alerts)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        number = version("cartum-roapp")
        show({"version": number}, lambda: number)
        raise typer.Exit


@app.callback()
def root(
    json: Json = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


#: Options whose value is the name of a file.
_FILES = ("--to", "--write")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; the entry point of the script. Never raises."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with opened(as_json="--json" in given) as output:
        code = _run(given)
        if code and output.as_json and not output.written:
            print_failure(CommandEnd(FAILED, "The command was interrupted.", kind="interrupted"))
        return code


def _run(arguments: list[str]) -> int:
    try:
        _require_text(arguments)
        if is_plain():
            from typer import rich_utils

            rich_utils.COLOR_SYSTEM = None  # of the help pages
        result = app(arguments, prog_name="cartum-roapp", standalone_mode=False, color=False if is_plain() else None)
    except SystemExit as ended:  # of Typer's completion
        return int(ended.code or DONE)
    except BrokenPipeError:
        sys.stdout = sys.stderr
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        result = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a line and an exit code
        end = _end_of(error)
        print_failure(end)
        return end.code
    if result == INTERRUPTED:  # Typer catches some of them itself
        say("Interrupted.")
    return result if isinstance(result, int) else DONE


def _require_text(arguments: list[str]) -> None:
    """Ends the command if an argument, except the name of a file, has bytes that are no text."""
    for before, argument in pairwise(["", *arguments]):
        if before not in _FILES and not argument.startswith(tuple(f"{option}=" for option in _FILES)):
            try:
                argument.encode()
            except UnicodeEncodeError:
                shown = argument.encode(errors="backslashreplace").decode()
                fix = "type it again on a terminal that is set to UTF-8"
                raise CommandEnd(BAD_INPUT, f"{shown} is not UTF-8 text.", fix=fix) from None


def _end_of(error: Exception) -> CommandEnd:
    from cartum_roapp.errors import BadConfig, IntegrationError
    from cartum_roapp.postgres.database_url import VARIABLE as DATABASE_URL

    if hasattr(error, "format_message"):  # an error of Typer: a wrong option, a missing argument
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "cartum-roapp"
        message = str(error.format_message()).rstrip()
        if not getattr(error, "message", ""):
            fix = f"`{path} --help` lists what there is"
            return CommandEnd(BAD_INPUT, message or "No command is given.", fix=fix)
        return CommandEnd(BAD_INPUT, message, fix=f"see `{path} --help`.")
    follows = getattr(error, "kind", "unexpected") in ("retryable", "unexpected")
    if (follows or getattr(error, "field", "") == DATABASE_URL) and (failed := _disk_failure(error)):
        return failure(failed, FAILED)
    if isinstance(error, CommandEnd):
        return error
    if isinstance(error, IntegrationError):
        return failure(error, BAD_INPUT if isinstance(error, BadConfig) else FAILED)
    from cartum_roapp.sync.failure import sanitized_errors

    try:
        with sanitized_errors():
            raise error
    except IntegrationError as found:
        return failure(found, FAILED)


def _disk_failure(error: Exception) -> IntegrationError | None:
    """Returns the error for a full or read-only disk if that is what stopped the command. If it is the home's disk, all
    other symptoms follow from it: a server that answers 503, or is gone."""
    from cartum_roapp.errors import IntegrationError
    from cartum_roapp.home import LITTLE, Home, disk_failure
    from cartum_roapp.settings import settings

    if failed := disk_failure(error):
        return failed
    try:
        Home(settings().home).require_disk(LITTLE)
    except IntegrationError as found:
        return found if found.kind == "retryable" else None
    except OSError:  # there is no home yet
        pass
    return None


if __name__ == "__main__":
    sys.exit(main())

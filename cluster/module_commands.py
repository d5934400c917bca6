"""`zero2one modules`: list, merge, route and measure the modules of a folder."""

import argparse
from collections.abc import Mapping
from dataclasses import asdict

from cluster.command_line import UsageError, print_columns, print_json


def modules(arguments: argparse.Namespace) -> int:
    match arguments.subcommand:
        case "list":
            return _modules_list(arguments)
        case "merge":
            return _modules_merge(arguments)
        case "route":
            return _modules_route(arguments)
        case _:
            return _modules_eval(arguments)


def _modules_list(arguments: argparse.Namespace) -> int:
    from models.module_folder import list_modules

    manifests = [module.manifest for module in list_modules(arguments.folder)]
    if arguments.json:
        print_json([manifest.model_dump(mode="json") for manifest in manifests])
        return 0
    header = ("module", "rank", "base", "domains", "what it did")
    rows = [
        (m.name, str(m.rank), m.base_sha256[:12], " ".join(m.domains), _figures(m.metrics or m.merged_from))
        for m in manifests
    ]
    print_columns([header, *rows])
    return 0


def _modules_merge(arguments: argparse.Namespace) -> int:
    from models.module_folder import merge_modules

    module = merge_modules(dict(arguments.parts), arguments.folder, arguments.name)
    print(f"module {module.manifest.name} of rank {module.manifest.rank} in {module.folder}")
    return 0


def _modules_route(arguments: argparse.Namespace) -> int:
    from rl.module_stage import route
    from rl.stage_config import RouterConfig

    if len(arguments.modules) < 2:
        raise UsageError(f"a router chooses among two modules at least, not {arguments.modules}")
    config = RouterConfig(modules=tuple(arguments.modules), min_confidence=arguments.min_confidence)
    route(arguments.folder, config, print)
    return 0


def _modules_eval(arguments: argparse.Namespace) -> int:
    from cluster.modules import evaluate_modules

    cells = evaluate_modules(arguments.folder, arguments.tasks, arguments.overrides, arguments.address)
    if arguments.json:
        print_json([asdict(cell) for cell in cells])
        return 0
    domains = list(dict.fromkeys(cell.domain for cell in cells))
    rows = [("success on", *domains)]
    for label in dict.fromkeys(cell.contestant for cell in cells):
        of_one = {cell.domain: cell for cell in cells if cell.contestant == label}
        rows.append((label, *(f"{of_one[d].success:.3f} ± {of_one[d].standard_error:.3f}" for d in domains)))
    print_columns(rows)
    return 0


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())

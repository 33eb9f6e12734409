"""The figures of README.md, and the numbers of its tables, from a real run of both experiments.

    python docs/make_figures.py             run both experiments at full size (minutes), then take what is needed
    python docs/make_figures.py FOLDER      take it from FOLDER, where `python -m minitorch_bn all --out FOLDER` wrote
    python docs/make_figures.py --digits FOLDER    take it from where `python -m minitorch_bn digits --out FOLDER` wrote
    python docs/make_figures.py --family    draw the norm family only (a second)

Writes docs/figures/*.png, docs/results.json and docs/digits.json. Afterwards `python docs/make_blocks.py` brings the
tables up to date.
"""

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
FIGURES = ("circles_rates.png", "names_loss.png")
DIGITS = "digits_rates.png"
FAMILY = "norm_family.png"
LARGEST = 300_000  # bytes of a figure: a README is read on slow lines too
COMMAND = ("-m", "minitorch_bn", "all")


def thinned_circles(content):
    """The numbers of every seed at every rate; the curves are left out."""
    rows = [
        {**row, "accuracy": [round(v, 4) for v in row["accuracy"]], "loss": [_rounded(v) for v in row["loss"]]}
        for row in content["rates"]
    ]
    return {"settings": content["settings"], "verdict": content["verdict"], "rates": rows}


def thinned_names(content):
    """The numbers of both networks, and every tenth point of the loss curves."""
    nets = []
    for net in content["nets"]:
        mean = net["running_mean"]
        kept = sorted({*range(0, len(mean["index"]), 10), len(mean["index"]) - 1})
        points = {key: [mean[key][i] for i in kept] for key in ("index", "value")}
        nets.append({**net, "running_mean": {"window": mean["window"], **points}})
        del nets[-1]["training_seconds"]
    return {"settings": content["settings"], "data": content["data"], "verdict": content["verdict"], "nets": nets}


def _rounded(value):
    """Four digits; what was not finite stands in the results as None."""
    return None if value is None else float(f"{value:.4g}")


def take(folder):
    """Copy the figures from `folder`, thin its results; return the files written."""
    circles, names = (json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("circles", "names"))
    finished = datetime.datetime.fromtimestamp((folder / "names.json").stat().st_mtime, datetime.timezone.utc)
    results = {
        "command": f"python {' '.join(COMMAND)}",
        "date": finished.date().isoformat(),
        "versions": names["versions"],
        "circles": thinned_circles(circles),
        "names": thinned_names(names),
    }
    written = [DOCS / "results.json"]
    written[0].write_text(_json(results) + "\n", encoding="utf-8")
    return written + copied(folder, FIGURES)


def take_digits(folder):
    """Copy the figure of a digits run from `folder`, thin its results; return the files written."""
    digits = json.loads((folder / "digits.json").read_text("utf-8"))
    finished = datetime.datetime.fromtimestamp((folder / "digits.json").stat().st_mtime, datetime.timezone.utc)
    kept = {name: digits[name] for name in ("settings", "versions", "data", "verdict")}
    for name in ("rates", "final"):
        kept[name] = [
            {**row, "accuracy": [round(v, 4) for v in row["accuracy"]], "loss": [_rounded(v) for v in row["loss"]]}
            for row in digits[name]
        ]
    path = DOCS / "digits.json"
    path.write_text(_json({"date": finished.date().isoformat(), **kept}) + "\n", encoding="utf-8")
    return [path, *copied(folder, [DIGITS])]


def copied(folder, names):
    """Copy figures from `folder` to docs/figures, unless they are too large; return the files written."""
    (DOCS / "figures").mkdir(exist_ok=True)
    for name in names:
        size = (folder / name).stat().st_size
        if size > LARGEST:
            raise SystemExit(f"{name}: got {size} bytes, wanted at most {LARGEST}")
    return [Path(shutil.copyfile(folder / name, DOCS / "figures" / name)) for name in names]


def family(path):
    """Draw which values share a mean in every member of the norm family, as the layers of the package share them."""
    from minitorch_bn import debug, nn
    from minitorch_bn.experiments.figures import save

    C, H, W = 6, 2, 2
    layers = {  # name: layer, number of ranks
        "BatchNorm": (nn.BatchNorm2d(C), 1),
        "BatchNorm on 2 ranks": (nn.BatchNorm2d(C), 2),
        "SyncBatchNorm on 2 ranks": (nn.SyncBatchNorm(C), 2),
        "InstanceNorm": (nn.InstanceNorm2d(C), 1),
        "GroupNorm, 3 groups": (nn.GroupNorm(3, C), 1),
        "LayerNorm over (C, H, W)": (nn.LayerNorm((C, H, W)), 1),
        "LayerNorm over W": (nn.LayerNorm(W), 1),
        "RMSNorm over (C, H, W)": (nn.RMSNorm((C, H, W)), 1),
    }
    members = {name: debug.shared_values(layer, (4, C, H, W), ranks) for name, (layer, ranks) in layers.items()}
    figure = debug.draw_shared_values(members, ranks={name: ranks for name, (_, ranks) in layers.items()})
    return save(figure, path)


def _json(value, indent="", width=120):
    """JSON with a short list or object on one line, so that a change shows as few lines."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not value or not isinstance(value, (dict, list)) or len(indent) + len(line) <= width:
        return line
    if isinstance(value, list):
        if all(isinstance(item, (int, float)) for item in value):
            return line
        parts, brackets = [_json(item, indent + " ", width) for item in value], "[]"
    else:
        parts = [f"{json.dumps(key)}: {_json(item, indent + ' ', width)}" for key, item in value.items()]
        brackets = "{}"
    joined = f",\n{indent} ".join(parts)
    return f"{brackets[0]}\n{indent} {joined}\n{indent}{brackets[1]}"


def main():
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="where a full run wrote its results")
    parser.add_argument("--family", action="store_true", help="draw the norm family only")
    parser.add_argument("--digits", type=Path, metavar="FOLDER", help="where a run of the digits wrote its results")
    args = parser.parse_args()
    if args.digits is not None:
        written = take_digits(args.digits)
    elif args.family:
        written = []
    elif args.folder is not None:
        written = take(args.folder)
    else:
        with tempfile.TemporaryDirectory() as made:
            subprocess.run([sys.executable, *COMMAND, "--out", made], cwd=DOCS.parent, check=True)
            written = take(Path(made))
    written.append(family(DOCS / "figures" / FAMILY))
    for path in written:
        print(path.relative_to(DOCS.parent).as_posix())


if __name__ == "__main__":
    main()

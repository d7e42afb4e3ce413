"""`python -m benchmarks`: list the measurements; `python -m benchmarks NAME`: run one.

`make bench` runs the one of the layers. The others train for many minutes.
"""

import pkgutil
import runpy
import sys

import benchmarks


def main() -> int:
    names = [
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if not module.name.startswith("_")
    ]
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print("python -m benchmarks", " | ".join(names), file=sys.stderr)
        return 2
    name = f"benchmarks.{sys.argv[1]}"
    sys.argv = [f"python -m {name}", *sys.argv[2:]]
    runpy.run_module(name, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())

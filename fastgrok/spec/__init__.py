"""Specifications: what an experiment is, and what a sweep varies of it. Frozen, validated, written as JSON.

- `experiment`: `Experiment`, everything that fixes a training run but the seed; `axes`: configurations of a sweep.
- `network` and `layers`, `losses`, `initializers`, `optimizers` and `schedules`, `stopping`: its parts.
- `base`, `fields`, `paths`: shared by all. `calls`: a specification or a field as text, for flags and forms.
- `precision`: the numbers that a dtype holds. `variables`: the registry of results; `recording`: which a run has.

Where to add
    - a layer: a class in `layers`, and its name in `ACTIVATIONS`;
    - an optimizer, a schedule, an initial distribution, a stopping rule: a class in that module;
    - a loss: its name in `losses`, and its demands on network and targets in `Experiment`;
    - a result: an entry of `variables`.

Each class has its line in `fastgrok/__init__.pyi`. Flags, JSON and error messages follow from its fields: the first
sentence on each in its docstring is the help. Its arithmetic is a record in `fastgrok/engine`, keyed by the class.
"""

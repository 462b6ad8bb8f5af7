"""From an experiment to what kernels take: its numbers, the memory of a block, and the choice of driver."""

from fastgrok.engine.builder.draws import (
    has_forms,
    initial,
    own_words,
    restart_tensors,
    scratch_size,
    state_words,
    table,
    tensors,
)
from fastgrok.engine.builder.drivers import driver, is_worth_specializing, lane_count, threads
from fastgrok.engine.builder.layout import Layout, layout
from fastgrok.engine.builder.memory import block_vectors, data, evaluation_work, outputs, validation_data, work
from fastgrok.engine.builder.numbers import (
    MAX_LANES,
    evaluation_plan,
    flops_per_epoch,
    gradient_scale,
    is_fused,
    is_long,
    n_batches,
    plan,
    regime,
    structure,
)

__all__ = [
    "MAX_LANES",
    "Layout",
    "block_vectors",
    "data",
    "driver",
    "evaluation_plan",
    "evaluation_work",
    "flops_per_epoch",
    "gradient_scale",
    "has_forms",
    "initial",
    "is_fused",
    "is_long",
    "is_worth_specializing",
    "lane_count",
    "layout",
    "n_batches",
    "outputs",
    "own_words",
    "plan",
    "regime",
    "restart_tensors",
    "scratch_size",
    "state_words",
    "structure",
    "table",
    "tensors",
    "threads",
    "validation_data",
    "work",
]

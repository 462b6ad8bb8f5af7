"""What is looked at between two epochs: the criteria, the validation loss, which units are dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgrok.kernels.block import Examples, load_example
from fastgrok.kernels.jit import device
from fastgrok.kernels.lanes import both, lane_bits, lane_view, like, select, splat_view
from fastgrok.kernels.nn.layers import RELU
from fastgrok.kernels.nn.losses import add_hit, add_loss, larger_error
from fastgrok.kernels.nn.passes import layer_at
from fastgrok.kernels.train.plan import Design


@device
def mark_alive(alive, acts, table, n_layers):
    """Mark the ReLU units whose z is not <= 0 on this example."""
    one = like(acts[0], 1.0)
    for m in range(n_layers):
        layer = layer_at(table, m)
        if layer.kind == RELU:
            for unit in range(layer.inp, layer.inp + layer.n_in):
                alive[unit] = select(acts[unit] <= like(one, 0.0), alive[unit], one)


def _make_pass(design: Design) -> Callable[..., Any]:
    """Return look(memory, work, examples, table, plan, s): loss, largest error and hits on the training data."""
    forward, tracks, lanes = design.passes.forward, design.regime.tracks, design.lanes

    @device
    def look(memory, work, examples, table, plan, s):
        zero = like(memory.params[0], 0.0)
        total, largest, hits = zero, zero, zero
        for k in range(plan.n_examples):
            load_example(memory.acts, examples, k, s)
            forward(memory.acts, memory.params, table, s.n_layers)
            total = add_loss(total, memory.acts, s.loss)
            if s.check_error:
                largest = larger_error(largest, memory.acts, s.loss)
            if s.check_hits:
                hits = add_hit(hits, memory.acts, s.loss)
            if tracks:
                mark_alive(lane_view(work.track.alive, lanes), memory.acts, table, s.n_layers)
        return total * like(zero, plan.criteria.loss_factor), largest, hits

    return look


def _make_track(lanes: int) -> Callable[..., Any]:
    @device
    def track(work, table, s, due, done):
        """Note the units of the due lanes that have died or revived, and forget the marks."""
        alive, unit = lane_view(work.track.alive, lanes), 0
        zero = like(alive[0], 0.0)
        for m in range(s.n_layers):
            layer = layer_at(table, m)
            if layer.kind != RELU:
                continue
            for place in range(layer.inp, layer.inp + layer.n_in):
                dead = lane_bits(alive[place] == zero)
                changed = (dead ^ work.track.dead[unit]) & due
                alive[place] = zero
                if changed:
                    work.track.dead[unit] ^= changed
                    for lane in range(lanes):
                        if (changed >> lane) & 1:
                            since = work.epochs[lane] + done if (dead >> lane) & 1 else -1
                            work.track.since[unit, lane] = since
                unit += 1

    return track


def make_check(design: Design) -> Callable[..., Any]:
    """Return check(memory, examples, table, work, plan, s, due, done).

    It gives the lanes whose parameters meet every criterion, and those whose loss is not finite, as bits.
    """
    look, track, tracks = _make_pass(design), _make_track(design.lanes), design.regime.tracks

    @device
    def check(memory, examples, table, work, plan, s, due, done):
        loss, largest, hits = look(memory, work, examples, table, plan, s)
        if tracks:
            track(work, table, s, due, done)
        if not s.stopping:
            return 0, 0
        met = loss <= like(loss, plan.criteria.loss)
        if s.check_error:
            met = both(met, largest <= like(loss, plan.criteria.max_error))
        if s.check_hits:
            met = both(met, hits >= like(loss, plan.criteria.hits))
        finite = loss < like(loss, float("inf"))
        return lane_bits(both(met, finite)) & due, ~lane_bits(finite) & due

    return check


def make_validate(design: Design) -> Callable[..., Any]:
    """Return validate(memory, data, table, work, plan, s, done).

    It keeps the best validation loss of the due lanes, its epoch and, where they are restored, its parameters; the
    lanes whose validation loss is not finite come back as bits.
    """
    forward, lanes = design.passes.forward, design.lanes
    restores, tracks = design.regime.restores, design.regime.tracks

    @device
    def validate(memory, data, table, work, plan, s, done):
        best, due = lane_view(work.watch.loss, lanes), lane_view(work.watch.due, lanes)
        total = like(memory.params[0], 0.0)
        held_out = Examples(splat_view(data.inputs, lanes), splat_view(data.targets, lanes), None)
        for k in range(plan.n_validation):
            load_example(memory.acts, held_out, k, s)
            forward(memory.acts, memory.params, table, s.n_layers)
            total = add_loss(total, memory.acts, s.loss)
        loss = total * like(total, plan.validation_factor)
        better = both(loss < best[0] - like(loss, plan.limits.min_delta), due[0] == like(loss, 1.0))
        improved = lane_bits(better)
        if improved:
            best[0] = select(better, loss, best[0])
            if restores:
                kept = lane_view(work.watch.params, lanes)
                for p in range(s.n_params):
                    kept[p] = select(better, memory.params[p], kept[p])
            for lane in range(lanes):
                if (improved >> lane) & 1:
                    work.watch.epoch[lane] = work.epochs[lane] + done
                    if tracks and restores:
                        for unit in range(work.track.since.shape[0]):
                            work.track.best[unit, lane] = work.track.since[unit, lane]
        return ~lane_bits(loss < like(loss, float("inf")))

    return validate

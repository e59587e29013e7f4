"""Cases of check_ops.py: numbers in 8 bits."""
import numpy as np

from check_ops_draw import ORT, Input, constant, ops
from check_ops_layers import spatial, window

MICROSOFT = "com.microsoft"


def eight_bits(d, shape, dtype=None):
    dtype = dtype or d.pick([np.uint8, np.int8])
    info = np.iinfo(dtype)
    return d.rng.integers(info.min, info.max + 1, shape).astype(dtype)


def scale(d, shape=(), low=0.01, high=0.1):
    return constant(d.rng.uniform(low, high, shape), np.float32)


def zero(d, dtype, shape=()):
    """A zero point somewhere in the middle."""
    return constant(d.rng.integers(100, 156, shape) - (128 if np.dtype(dtype).kind == "i" else 0), dtype)


@ops("QuantizeLinear", "DequantizeLinear", oracles=ORT)
def quantize(d):
    shape, dtype = d.shape(1, 5), d.pick([np.uint8, np.int8])
    per_axis = d.version >= 13 and d.chance()
    axis = d.int(-len(shape), len(shape) - 1) if per_axis else 0
    vector = (shape[axis],) if per_axis else ()
    attrs = {"axis": axis} if per_axis and (axis != 1 or d.chance()) else {}
    if d.op == "QuantizeLinear":
        given = zero(d, dtype, vector) if d.chance(0.8) else None
        return d.case([d.array(shape, np.float32, -9, 9), scale(d, vector), given], attrs)
    if d.chance(0.2):
        dtype = np.int32
        return d.case([d.array(shape, dtype, -1000, 1000), scale(d, vector)], attrs)
    return d.case([eight_bits(d, shape, dtype), scale(d, vector), zero(d, dtype, vector) if d.chance(0.8) else None], attrs)


@ops("DynamicQuantizeLinear", oracles=ORT)
def dynamic(d):
    return d.case([d.array(d.shape(1, 5), np.float32, d.int(-5, 1), d.int(2, 6))], n_outputs=3)


@ops("MatMulInteger", "QLinearMatMul", oracles=ORT)
def product(d):
    m, k, n = d.pick([1, 2, 5, 17]), d.pick([1, 3, 8, 65]), d.pick([1, 4, 9, 33])
    batch = d.shape(0, 2, largest=3)
    # ONNX Runtime has no kernels for int8 on the left and uint8 on the right.
    left, right = d.pick([(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)])
    a, b = eight_bits(d, [*batch, m, k], left), eight_bits(d, [*(batch if d.chance(0.3) else []), k, n], right)
    b = Input(b, d.chance(0.7))
    if d.op == "MatMulInteger":
        zeros = [zero(d, left) if d.chance(0.7) else None, zero(d, right) if d.chance(0.7) else None]
        return d.case([a, b, *zeros])
    columns = (n,) if d.chance(0.3) and b.array.ndim == 2 else ()
    return d.case([a, scale(d), zero(d, left), b, scale(d, columns), zero(d, right, columns), scale(d, (), 0.5, 1),
                   zero(d, left)])


@ops("ConvInteger", "QLinearConv", oracles=ORT)
def conv(d):
    batch, size = spatial(d, d.pick([1, 2, 2, 2]))
    attrs, kernel, fits = window(d, size, False)
    if not fits:
        return None
    group, each, outputs = d.pick([1, 1, 1, 2, 3, 8]), d.pick([1, 2, 3, 5]), d.pick([1, 2, 3, 17])
    if group > 1 or d.chance():
        attrs["group"] = group
    left, right = d.pick([(np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8)])
    x = eight_bits(d, [*batch, group * each, *size], left)
    w = Input(eight_bits(d, [group * outputs, each, *kernel], right), True)
    if d.op == "ConvInteger":
        if left == np.int8:
            return None
        return d.case([x, w, zero(d, left) if d.chance(0.7) else None, zero(d, right) if d.chance() else None], attrs)
    columns = (group * outputs,) if d.chance(0.4) else ()
    bias = constant(d.rng.integers(-500, 500, group * outputs), np.int32) if d.chance() else None
    # Of weights with a scale a channel, ONNX Runtime wants one zero point.
    w_zero = constant(np.full(columns, 0 if columns else d.int(0, 9)), right)
    return d.case([x, scale(d), zero(d, left), w, scale(d, columns), w_zero, scale(d, (), 0.5, 1), zero(d, left), bias], attrs)


@ops("QLinearAdd", "QLinearMul", domain=MICROSOFT, oracles=ORT)
def sum_of_two(d):
    dtype, shape = d.pick([np.uint8, np.int8]), d.shape(1, 4)
    own = [1 if d.chance(0.3) else n for n in shape]
    pair = [eight_bits(d, shape, dtype), eight_bits(d, own, dtype)]
    return d.case([pair[0], scale(d), zero(d, dtype), pair[1], scale(d), zero(d, dtype), scale(d, (), 0.05, 0.2),
                   zero(d, dtype)])


@ops("QLinearGlobalAveragePool", domain=MICROSOFT, oracles=ORT)
def mean(d):
    batch, size = spatial(d, 2)
    dtype, channels, last = d.pick([np.uint8, np.int8]), d.pick([1, 3, 8, 17]), d.int(0, 1)
    shape = [*batch, *size, channels] if last else [*batch, channels, *size]
    attrs = {"channels_last": last} if last or d.chance() else {}
    return d.case([eight_bits(d, shape, dtype), scale(d), zero(d, dtype), scale(d), zero(d, dtype)], attrs)

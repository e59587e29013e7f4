"""Cases of check_ops.py: elements, axes, shapes, indices, losses."""
import math

import numpy as np
import onnx
from onnx import TensorProto, helper

from check_ops_draw import MAX_ELEMENTS, NUMPY_TYPES, ORT, Input, constant, ops


# --- One element ---

@ops("Relu", "Sigmoid", "HardSwish", "Mish", "Tanh", "Softplus", "Softsign", "Erf", "Exp", "Neg", "Abs", "Sign", "Floor",
     "Ceil", "Round", "Identity", "Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh", "Not", "LeakyRelu", "Elu", "Selu", "Celu",
     "ThresholdedRelu", "HardSigmoid", "Gelu")
def unary(d):
    parameter = d.schema.type_constraints[0].type_param_str
    only = {"Erf": "f"}.get(d.op)  # of integers neither oracle has a kernel
    attrs = {}
    for name in d.schema.attributes:
        if d.chance(0.7):
            attrs[name] = d.pick(["none", "tanh"]) if name == "approximate" else float(d.pick([0.5, 0.1, 1.5, 2, 1, 0.25]))
    return d.case([d.array(d.shape(0), d.dtype(parameter, only), -6, 6)], attrs, slack=2)


@ops("Log", "Sqrt", "Reciprocal", "Acosh")
def unary_positive(d):
    return d.case([d.array(d.shape(0), d.dtype("T", "f"), 1 if d.op == "Acosh" else 0.05, 6)])


@ops("Tan", "Asin", "Acos", "Atanh")
def unary_within_1(d):
    return d.case([d.array(d.shape(0), d.dtype("T", "f"), -0.95, 0.95)])


@ops("IsNaN", "IsInf")
def test(d):
    x = d.array(d.shape(0), d.dtype("T1"))
    for value in (np.nan, np.inf, -np.inf):
        x = np.where(d.rng.random(x.shape) < 0.2, x.dtype.type(value), x)
    attrs = {} if d.op == "IsNaN" else {n: d.int(0, 1) for n in ("detect_negative", "detect_positive") if d.chance()}
    return d.case([x], attrs)


@ops("Clip")
def clip(d):
    low, high = sorted(d.rng.integers(-4, 5, 2).tolist())
    if d.version < 11:
        attrs = {name: float(v) for name, v in (("min", low), ("max", high)) if d.chance(0.7)}
        return d.case([d.array(d.shape(0), d.dtype())], attrs)
    dtype = d.dtype()
    low, high = (max(low, 0), max(high, 0)) if np.dtype(dtype).kind == "u" else (low, high)
    run_time = d.chance(0.3)
    bounds = [Input(np.asarray(v, dtype), not run_time) if d.chance(0.7) else None for v in (low, high)]
    return d.case([d.array(d.shape(0), dtype, -6, 6), *bounds])


@ops("Cast")
def cast(d):
    """From any type to any other, by way of a third: bfloat16 too."""
    known = [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.INT16,
             TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32,
             TensorProto.UINT64, TensorProto.BOOL]
    middle, last = d.pick(known + ([TensorProto.BFLOAT16] * 3 if d.opset >= 13 else [])), d.pick(known)
    # What does not fit a type of integers is left open.
    from_type = d.pick(list(NUMPY_TYPES.values()))
    x = d.array(d.shape(0, 5), from_type, 0 if d.chance() else -100, 100, step=d.pick([0.25, 1]))
    unsigned = {TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64}
    if {middle, last} & unsigned and x.dtype.kind in "if":
        x = np.abs(x)
    nodes = [helper.make_node("Cast", ["x0"], ["m"], to=middle), helper.make_node("Cast", ["m"], ["y0"], to=last)]
    case = d.case([x], {"through": middle, "to": last}, nodes=nodes)
    case.through = {TensorProto.FLOAT16: ("float16",), TensorProto.BFLOAT16: ("bfloat16",)}.get(middle, ())
    return case


@ops("CastLike")
def cast_like(d):
    x = d.array(d.shape(0, 4), d.dtype("T1"), 0, 100)
    return d.case([x, d.array(d.shape(0, 2), d.dtype("T2"), 0, 1)])


# --- Two elements and more ---

def operands(d, dtype, **how):
    """Two arrays that broadcast against each other in one or both ways."""
    shape = d.shape(0)
    pair = [d.array(shape, dtype, **how), d.broadcast_to(shape, dtype, **how)]
    if d.chance(0.2):
        pair[0] = d.broadcast_to(shape, dtype, **how)
    return pair[::-1] if d.chance(0.3) else pair


def some_constant(d, arrays):
    at = d.int(0, len(arrays) - 1) if d.chance(0.3) else -1
    return [Input(a, i == at) for i, a in enumerate(arrays)]


@ops("Add", "Sub", "Mul", "Less", "Greater", "Equal", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor")
def binary(d):
    dtype = d.dtype(d.schema.type_constraints[0].type_param_str)
    low = 0 if np.dtype(dtype).kind == "u" and d.op == "Sub" else -100 if d.chance(0.3) else -3
    return d.case(some_constant(d, operands(d, dtype, low=low, high=-low if low else 3)))


@ops("Div")
def divide(d):
    dtype = d.dtype()
    a, b = operands(d, dtype, low=-100, high=100)
    b = np.where(np.abs(b.astype(np.float64)) < 0.5, np.asarray(1, dtype), b).astype(dtype)
    return d.case(some_constant(d, [a, b]))


@ops("Mod")
def mod(d):
    dtype = d.dtype()
    a, b = operands(d, dtype, low=-100, high=100, step=0.25)
    b = np.where(np.abs(b.astype(np.float64)) < 0.25, np.asarray(3, dtype), b).astype(dtype)
    attrs = {"fmod": 1} if np.dtype(dtype).kind == "f" else {"fmod": d.int(0, 1)} if d.chance() else {}
    return d.case([a, b], attrs)


@ops("Pow")
def power(d):
    kind, other = d.dtype("T"), d.dtype("T1") if d.version >= 12 else None
    a, _ = operands(d, kind, low=0.1 if np.dtype(kind).kind == "f" else 1, high=4)
    exponent = other or kind
    b = d.broadcast_to(a.shape, exponent, low=0 if np.dtype(exponent).kind in "iu" else -2, high=3)
    return d.case(some_constant(d, [a, b]), slack=5)


@ops("PRelu")
def prelu(d):
    dtype, shape = d.dtype(), d.shape(1)
    return d.case(some_constant(d, [d.array(shape, dtype), d.broadcast_to(shape, dtype)]))


@ops("Min", "Max", "Sum", "Mean")
def variadic(d):
    dtype, shape = d.dtype(), d.shape(0)
    if d.version < 8:  # no broadcast
        return d.case([d.array(shape, dtype) for _ in range(d.int(1, 4))])
    arrays = [d.broadcast_to(shape, dtype) for _ in range(d.int(1, 5))]
    arrays[d.int(0, len(arrays) - 1)] = d.array(shape, dtype)
    return d.case(some_constant(d, arrays))


@ops("Where")
def where(d):
    dtype, shape = d.dtype(), d.shape(0)
    return d.case(some_constant(d, [d.broadcast_to(shape, np.bool_), d.broadcast_to(shape, dtype),
                                    d.broadcast_to(shape, dtype)]))


# --- Along axes ---

@ops("Softmax", "LogSoftmax", "Hardmax")
def along_axis(d):
    x = d.array(d.shape(1), d.dtype(), -8, 8)
    attrs = {"axis": d.int(-x.ndim if d.opset >= 11 else 0, x.ndim - 1)} if d.chance(0.8) else {}
    return None if not attrs and d.version < 13 and x.ndim < 2 else d.case([x], attrs)


REDUCES = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
           "ReduceLogSum", "ReduceLogSumExp")


@ops(*REDUCES, oracles=ORT)
def reduction(d):
    shape = d.shape(0 if d.opset >= 11 else 1, largest=4 if d.op == "ReduceProd" else None)
    x = d.array(shape, d.dtype(), 0.5 if d.op == "ReduceLogSum" else -2, 2)
    if d.op == "ReduceLogSum" and x.dtype.kind in "iu":
        x += 1
    axes = None
    if d.chance(0.8) and shape:
        n = d.int(1, len(shape))
        axes = [int(a) - (len(shape) if d.opset >= 11 and d.chance(0.3) else 0)
                for a in d.rng.permutation(len(shape))[:n]]
    attrs = {"keepdims": d.int(0, 1)} if d.chance(0.7) else {}
    # Of integers the oracle's mean and logarithms are rounded in ways of its own.
    if x.dtype.kind in "iu" and d.op in ("ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"):
        return None
    if "axes" in d.schema.attributes:
        if axes:
            attrs["axes"] = axes
        return d.case([x], attrs, slack=5)
    if d.chance(0.3):
        attrs["noop_with_empty_axes"] = d.int(0, 1)
    given = constant(axes) if axes else constant(np.zeros(0)) if d.chance(0.3) else None
    return d.case([x, given], attrs, slack=5)


@ops("ArgMax", "ArgMin")
def arg(d):
    x = d.array(d.shape(1), d.dtype(), step=0.5)
    attrs = {"axis": d.int(-x.ndim if d.opset >= 11 else 0, x.ndim - 1)} if d.chance(0.8) else {}
    attrs |= {"keepdims": d.int(0, 1)} if d.chance(0.7) else {}
    attrs |= {"select_last_index": d.int(0, 1)} if d.opset >= 12 and d.chance() else {}
    return d.case([x], attrs)


@ops("TopK", oracles=ORT)
def topk(d):
    # Where sorted is 0 nothing is promised of the order.
    x = d.array(d.shape(1), d.dtype(), -100, 100)
    axis = d.int(-x.ndim if d.opset >= 11 else 0, x.ndim - 1)
    attrs = {"axis": axis}
    if axis in (-1, x.ndim - 1) and d.chance():
        attrs = {}
    k = d.int(1, x.shape[axis if attrs else -1])
    if d.opset >= 11:
        attrs |= {"largest": d.int(0, 1)} if d.chance() else {}
        attrs |= {"sorted": 1} if d.chance() else {}
    if d.version < 10:
        return d.case([x], attrs | {"k": k}, n_outputs=2)
    return d.case([x, constant([k])], attrs, n_outputs=2)


@ops("CumSum", oracles=ORT)
def cumsum(d):
    x = d.array(d.shape(1), d.dtype())
    attrs = {n: d.int(0, 1) for n in ("exclusive", "reverse") if d.chance()}
    return d.case([x, Input(np.asarray(d.int(-x.ndim, x.ndim - 1), d.dtype("T2")), True)], attrs, slack=5)


# --- Shapes ---

@ops("Flatten")
def flatten(d):
    x = d.array(d.shape(1), d.dtype())
    return d.case([x], {"axis": d.int(-x.ndim if d.opset >= 11 else 0, x.ndim)} if d.chance(0.8) else {})


@ops("Reshape")
def reshape(d):
    x = d.array(d.shape(1), d.dtype())
    factors, left = [], x.size
    for _ in range(d.int(0, 5)):
        size = d.pick(n for n in range(1, left + 1) if left % n == 0)
        factors.append(size)
        left //= size
    factors.append(left)
    for i, size in enumerate(factors):
        if i < x.ndim and size == x.shape[i] and d.chance():
            factors[i] = 0
    if d.chance():
        factors[d.int(0, len(factors) - 1)] = -1
    attrs = {"allowzero": 0} if d.opset >= 14 and d.chance(0.3) else {}
    return d.case([x, constant(factors)], attrs)


@ops("Squeeze", "Unsqueeze")
def squeeze(d):
    x = d.array(d.shape(1, 4), d.dtype())
    if d.op == "Squeeze":
        axes = [i for i, size in enumerate(x.shape) if size == 1 and d.chance(0.8)]
        rank = x.ndim
    else:
        rank = x.ndim + d.int(1, 2)
        axes = sorted(int(a) for a in d.rng.permutation(rank)[:rank - x.ndim])
    if d.opset >= 11:
        axes = [a - rank if d.chance(0.3) else a for a in axes]
    if not axes and d.op == "Squeeze":
        return d.case([x])
    return d.case([x], {"axes": axes}) if d.version < 13 else d.case([x, constant(axes)])


@ops("Transpose")
def transpose(d):
    x = d.array(d.shape(1), d.dtype())
    return d.case([x], {"perm": [int(a) for a in d.rng.permutation(x.ndim)]} if d.chance(0.9) else {})


@ops("Shape", "Size")
def shape_of(d):
    x = d.array(d.shape(0), d.dtype())
    attrs = {n: d.int(-x.ndim - 2, x.ndim + 2) for n in ("start", "end") if d.version >= 15 and d.chance()}
    return d.case([x], attrs if d.op == "Shape" else {})


@ops("Concat")
def concat(d):
    shape, dtype = d.shape(1, largest=9), d.dtype()
    axis = d.int(-len(shape) if d.opset >= 11 else 0, len(shape) - 1)
    arrays = []
    for _ in range(d.int(1, 5)):
        own = list(shape)
        own[axis] = d.int(1, 5)
        arrays.append(d.array(own, dtype))
    return d.case(some_constant(d, arrays), {"axis": axis})


@ops("Split")
def split(d):
    shape = d.shape(1)
    axis = d.int(-len(shape), len(shape) - 1)
    attrs = {"axis": axis} if axis != 0 or d.chance() else {}
    size, n = shape[axis], d.int(1, 5)
    if d.chance():
        cuts = sorted(d.rng.integers(0, size + 1, n - 1).tolist())
        sizes = np.diff([0, *cuts, size]).tolist()
        if 0 in sizes:
            return None
        x = d.array(shape, d.dtype())
        return d.case([x], attrs | {"split": sizes}, n_outputs=n) if d.version < 13 else \
            d.case([x, constant(sizes)], attrs, n_outputs=n)
    if d.version >= 18:
        if (n - 1) * math.ceil(size / n) >= size and n > 1:
            return None
        attrs["num_outputs"] = n
    else:
        shape[axis] = size * n
    return d.case([d.array(shape, d.dtype())], attrs, n_outputs=n)


@ops("Slice")
def slice_of(d):
    x = d.array(d.shape(1), d.dtype())
    n = d.int(1, x.ndim)
    axes = [int(a) for a in d.rng.permutation(x.ndim)[:n]]
    has_axes = d.chance(0.8)
    axes = axes if has_axes else list(range(n))
    starts = [d.int(-x.shape[a] - 2, x.shape[a] + 2) for a in axes]
    ends = [d.pick([d.int(-x.shape[a] - 2, x.shape[a] + 2), 2**31 - 1, 2**63 - 1, -2**31]) for a in axes]
    if d.version < 10:
        if any(len(range(*slice(s, e).indices(x.shape[a]))) == 0 for a, s, e in zip(axes, starts, ends)):
            return None
        return d.case([x], {"starts": starts, "ends": ends} | ({"axes": axes} if has_axes else {}))
    dtype = np.int64 if max(map(abs, ends)) > 2**31 - 1 else d.dtype("Tind")
    # Going backwards, ONNX Runtime takes the largest integers for the beginning.
    steps = [d.pick([1, 1, 2, 3, -1, -2] if e < 2**31 - 1 else [1, 2]) for e in ends] if has_axes and d.chance() else None
    given_axes = [a - x.ndim if d.chance(0.3) else a for a in axes]
    return d.case([x, constant(starts, dtype), constant(ends, dtype), constant(given_axes, dtype) if has_axes else None,
                   constant(steps, dtype) if steps else None])


@ops("Gather", "GatherElements")
def gather(d):
    x = d.array(d.shape(1, 4), d.dtype("T"))
    axis = d.int(-x.ndim, x.ndim - 1)
    low = -x.shape[axis] if d.opset >= 11 else 0
    if d.op == "Gather":
        shape = d.shape(0, 3, largest=5)
    else:
        shape = [d.int(1, n) for n in x.shape]
        shape[axis] = d.int(1, 9)
    indices = d.rng.integers(low, x.shape[axis], shape).astype(d.dtype("Tind"))
    return d.case([x, Input(indices, d.chance())], {"axis": axis} if axis or d.chance() else {})


@ops("GatherND")
def gather_nd(d):
    x = d.array(d.shape(1, 5), d.dtype("T"))
    batch = d.int(0, x.ndim - 1) if d.opset >= 12 and d.chance() else 0
    width = d.int(1, x.ndim - batch)
    shape = list(x.shape[:batch]) + d.shape(0, 2, largest=4)
    limits = np.array(x.shape[batch:batch + width])
    indices = (d.rng.random([*shape, width]) * 2 * limits - limits).astype(np.int64)
    indices = np.clip(indices, -limits, limits - 1)
    return d.case([x, Input(indices, d.chance())], {"batch_dims": batch} if batch or d.opset >= 12 and d.chance() else {})


@ops("ScatterElements", "ScatterND", oracles=ORT)
def scatter(d):
    x = d.array(d.shape(1, 4), d.dtype("T"))
    reductions = {16: ["none", "add", "mul"], 18: ["none", "add", "mul", "max", "min"]}.get(d.version)
    attrs = {"reduction": d.pick(reductions)} if reductions and d.chance(0.7) and x.dtype.kind != "b" else {}
    if d.op == "ScatterElements":
        axis = d.int(-x.ndim, x.ndim - 1)
        shape = [d.int(1, n) for n in x.shape]
        if attrs.get("reduction", "none") != "none":
            indices = d.rng.integers(0, x.shape[axis], shape)
        else:  # each element once, since the order is left open
            indices = np.argsort(d.rng.random(x.shape), axis=axis)[tuple(slice(n) for n in shape)]
        indices = indices - x.shape[axis] * (d.rng.random(indices.shape) < 0.2)
        return d.case([x, Input(indices.astype(np.int64), d.chance()), d.array(shape, x.dtype)], attrs | {"axis": axis})
    width = d.int(1, x.ndim)
    places = math.prod(x.shape[:width])
    n = d.int(1, min(places, 6))
    flat = d.rng.integers(0, places, n) if attrs.get("reduction", "none") != "none" else d.rng.permutation(places)[:n]
    indices = np.stack(np.unravel_index(flat, x.shape[:width]), -1)
    return d.case([x, Input(indices.astype(np.int64), d.chance()), d.array([n, *x.shape[width:]], x.dtype)], attrs)


@ops("Tile")
def tile(d):
    x = d.array(d.shape(1, largest=7), d.dtype("T"))
    repeats = [d.pick([1, 1, 2, 3]) for _ in x.shape]
    return None if x.size * math.prod(repeats) > 4 * MAX_ELEMENTS else d.case([x, constant(repeats)])


@ops("Expand")
def expand(d):
    shape = d.shape(1)
    x = d.broadcast_to(shape, d.dtype())
    wanted = [1 if d.chance(0.2) else n for n in shape]
    return d.case([x, constant(wanted)])


@ops("Pad")
def pad(d):
    x = d.array(d.shape(1, 5, largest=9), d.dtype("T"))
    modes = ["constant", "reflect", "edge"] + (["wrap"] if d.version >= 19 else [])
    attrs = {"mode": d.pick(modes)} if d.chance(0.8) else {}
    mode = attrs.get("mode", "constant")
    axes = list(range(x.ndim))
    if d.version >= 18 and d.chance():
        axes = [int(a) for a in d.rng.permutation(x.ndim)[:d.int(1, x.ndim)]]
    low = -1 if mode == "constant" else 0
    most = [{"reflect": x.shape[a] - 1, "wrap": x.shape[a]}.get(mode, 3) for a in axes]
    pads = [d.int(max(low, -(x.shape[a] // 2)), min(3, m)) for a, m in list(zip(axes, most)) * 2]
    value = float(d.int(-2, 2)) if x.dtype.kind in "fi" else 1
    if d.version < 11:
        return d.case([x], attrs | {"pads": pads} | ({"value": value} if d.chance() else {}))
    given = Input(np.asarray(value, x.dtype), d.chance()) if d.chance() else None
    signed = [a - x.ndim if d.chance(0.3) else a for a in axes]
    return d.case([x, constant(pads), given, constant(signed) if len(axes) < x.ndim or d.version >= 18 and d.chance() else None],
                  attrs)


@ops("Constant")
def constant_node(d):
    shape = d.shape(0, 4)
    value = d.array(shape, d.dtype("T"))
    forms = [{"value": onnx.numpy_helper.from_array(value)}]
    if d.version >= 12:
        forms += [{"value_int": d.int(-9, 9)}, {"value_float": 1.25}, {"value_ints": [1, -2, 3]},
                  {"value_floats": [0.5, -2.0]}]
    return d.case([], d.pick(forms))


@ops("ConstantOfShape")
def constant_of_shape(d):
    attrs = {}
    if d.chance(0.8):
        attrs["value"] = onnx.numpy_helper.from_array(d.array([1], d.dtype("T2")))
    return d.case([constant(d.shape(0))], attrs)


@ops("Range")
def range_of(d):
    dtype = d.dtype()
    start, delta = d.int(-9, 9), d.pick([1, 2, 3, -1, -2])
    limit = start + delta * d.int(-1, 9) + d.int(0, 1)
    scale = d.pick([1, 0.25]) if np.dtype(dtype).kind == "f" else 1
    return d.case([constant(np.asarray(v * scale), dtype) for v in (start, limit, delta)])


@ops("OneHot")
def one_hot(d):
    depth = d.int(1, 9)
    shape = d.shape(0, 4, largest=9)
    types = d.dtype("T1", "i"), d.dtype("T3")
    # Only ONNX Runtime, which has few types, knows indices outside.
    outside = 2 if types == (np.int64, np.float32) and shape else 0
    indices = d.rng.integers(-depth - outside, depth + outside, shape).astype(types[0])
    attrs = {"axis": d.int(-len(shape) - 1, len(shape))} if d.chance(0.8) else {}
    return d.case([indices, constant(depth if d.chance() else [depth]), d.array([2], types[1])], attrs)


@ops("EyeLike")
def eye_like(d):
    attrs = {"k": d.int(-4, 4)} if d.chance() else {}
    attrs |= {"dtype": d.pick([1, 11, 6, 7, 13])} if d.chance() else {}
    return d.case([d.array(d.shape(2, 2), d.dtype("T1"))], attrs)


@ops("Trilu")
def trilu(d):
    attrs = {"upper": d.int(0, 1)} if d.chance(0.7) else {}
    k = Input(np.asarray(d.int(-4, 4), np.int64), d.chance()) if d.chance() else None
    return d.case([d.array(d.shape(2), d.dtype()), k], attrs)


# --- Losses ---

@ops("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(d):
    shape = d.shape(2, 5, largest=7)
    dtype, classes = d.dtype("T", "f"), shape[1]
    target = d.rng.integers(0, classes, [shape[0], *shape[2:]]).astype(d.dtype(
        "Tind", "i"))
    attrs = {"reduction": d.pick(["none", "mean", "sum"])} if d.chance(0.8) else {}
    if d.chance(0.4):
        attrs["ignore_index"] = d.pick([-1, classes + 2, 0])
        if attrs["ignore_index"] != 0:
            target = np.where(d.rng.random(target.shape) < 0.3, attrs["ignore_index"], target).astype(target.dtype)
    weights = d.array([classes], dtype, 0.1, 2) if d.chance() else None
    n = d.int(1, 2) if d.op == "SoftmaxCrossEntropyLoss" else 1
    return d.case([d.array(shape, dtype), target, weights], attrs, n_outputs=n, slack=5)

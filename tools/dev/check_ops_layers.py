"""Cases of check_ops.py: windows, products, norms."""
import numpy as np

from check_ops_draw import ORT, Input, constant, ops


# --- Windows ---

def spatial(d, rank=None, largest=11):
    """Batch, channels, and 1, 2 or 3 dimensions."""
    rank = rank or d.pick([1, 2, 2, 2, 2, 3])
    return [d.int(1, 2)], [d.pick([n for n in (1, 3, 4, 7, 9, 12) if n <= largest] + [largest]) for _ in range(rank)]


def window(d, size, pool):
    """Attributes of a window over `size`, and whether it fits."""
    rank = len(size)
    kernel = [d.int(1, min(4, n + 1)) for n in size]
    attrs = {"kernel_shape": kernel} if pool or d.chance(0.7) else {}
    dilations = [1] * rank
    if (not pool or d.schema.attributes.get("dilations")) and d.chance(0.4):
        dilations = attrs["dilations"] = [d.int(1, 2) for _ in size]
    if d.chance(0.7):
        attrs["strides"] = [d.int(1, 3) for _ in size]
    extent = [(k - 1) * s + 1 for k, s in zip(kernel, dilations)]
    pads = [0] * (2 * rank)
    how = d.pick(["none", "pads", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"])
    if how == "pads":
        most = [min(k - 1, 3) for k in kernel] * 2
        pads = attrs["pads"] = [d.int(0, m) for m in most]
    elif how == "VALID" or how != "none" and not (pool and any(s > 1 for s in dilations) or any(
            s > k for s, k in zip(attrs.get("strides", [1] * rank), kernel))):
        # ONNX Runtime's pools forget the dilation and let negative padding be.
        attrs["auto_pad"] = how
    fits = all(n + pads[i] + pads[i + rank] >= e for i, (n, e) in enumerate(zip(size, extent)))
    return attrs, kernel, fits


@ops("Conv", oracles=ORT)
def conv(d):
    batch, size = spatial(d)
    attrs, kernel, fits = window(d, size, False)
    if not fits:
        return None
    group, each, outputs = d.pick([1, 1, 1, 2, 3, 8]), d.pick([1, 2, 3, 5]), d.pick([1, 2, 3, 17])
    if group > 1 or d.chance():
        attrs["group"] = group
    dtype = d.dtype("T", "f")
    x = d.array([*batch, group * each, *size], dtype, -1, 1)
    w = d.array([group * outputs, each, *kernel], dtype, -1, 1)
    b = d.array([group * outputs], dtype) if d.chance() else None
    fixed = d.chance(0.7)
    return d.case([x, Input(w, fixed), None if b is None else Input(b, fixed)], attrs, slack=5)


@ops("ConvTranspose", oracles=ORT)
def conv_transpose(d):
    batch, size = spatial(d, largest=7)
    rank = len(size)
    kernel = [d.int(1, 4) for _ in size]
    strides = [d.int(1, 3) for _ in size]
    dilations = [d.int(1, 2) for _ in size] if d.chance(0.3) else [1] * rank
    attrs = {"strides": strides, "dilations": dilations} | ({"kernel_shape": kernel} if d.chance() else {})
    how = d.pick(["none", "pads", "SAME_UPPER", "SAME_LOWER", "VALID", "output_shape"])
    if how == "pads":
        attrs["pads"] = [d.int(0, k - 1) for k in kernel * 2]
    elif how == "output_shape":
        attrs["output_shape"] = [n * s + d.int(0, 1) for n, s in zip(size, strides)]
    elif how == "VALID" or how != "none" and all((k - 1) * t >= s - 1 for k, t, s in zip(kernel, dilations, strides)):
        # ONNX Runtime's output is smaller than the operator's text has it where a window is smaller than the stride.
        attrs["auto_pad"] = how
    if how in ("none", "pads") and d.chance(0.4):
        attrs["output_padding"] = [d.int(0, max(s, t) - 1) for s, t in zip(strides, dilations)]
    group, each, outputs = d.pick([1, 1, 2, 3]), d.pick([1, 2, 5]), d.pick([1, 3, 17])
    if group > 1 or d.chance():
        attrs["group"] = group
    dtype = d.dtype("T", "f")
    x = d.array([*batch, group * each, *size], dtype, -1, 1)
    w = d.array([group * each, outputs, *kernel], dtype, -1, 1)
    b = Input(d.array([group * outputs], dtype), True) if d.chance() else None
    return d.case([x, Input(w, d.chance(0.7)), b], attrs, slack=5)


@ops("MaxPool", "AveragePool", "LpPool", oracles=ORT)
def pool(d):
    batch, size = spatial(d)
    attrs, _, fits = window(d, size, True)
    if not fits:
        return None
    x = d.array([*batch, d.pick([1, 3, 8, 17]), *size], d.dtype("T"), -3, 3)
    if "ceil_mode" in d.schema.attributes and d.chance():
        attrs["ceil_mode"] = d.int(0, 1)
    if d.op == "AveragePool" and d.chance():
        attrs["count_include_pad"] = d.int(0, 1)
    if d.op == "LpPool" and d.chance():
        attrs["p"] = d.int(1, 3)
    if d.op == "MaxPool" and d.version >= 8 and d.chance(0.3):
        if d.chance():
            attrs["storage_order"] = d.int(0, 1)
        return d.case([x], attrs, n_outputs=2)
    return d.case([x], attrs)


@ops("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool", oracles=ORT)
def global_pool(d):
    batch, size = spatial(d)
    attrs = {"p": d.int(1, 3)} if d.op == "GlobalLpPool" and d.chance() else {}
    return d.case([d.array([*batch, d.pick([1, 3, 8, 17]), *size], d.dtype("T", "f"))], attrs, slack=5)


@ops("LRN", oracles=ORT)
def lrn(d):
    batch, size = spatial(d, 2)
    attrs = {"size": d.pick([1, 3, 5, 7])} | {n: float(v) for n, v in (("alpha", 0.1), ("beta", 0.5), ("bias", 2)) if d.chance()}
    return d.case([d.array([*batch, d.pick([1, 3, 8, 17]), *size], d.dtype("T", "f"))], attrs, slack=5)


# --- Products and norms ---

@ops("Gemm")
def gemm(d):
    m, k, n, dtype = d.pick([1, 2, 5, 17]), d.pick([1, 3, 8, 65]), d.pick([1, 4, 9, 33]), d.dtype()
    attrs = {name: d.int(0, 1) for name in ("transA", "transB") if d.chance()}
    kind = np.dtype(dtype).kind
    attrs |= {name: float(d.pick([0.5, 2, 1, 0])) if kind == "f" else 2.0 for name in ("alpha", "beta") if d.chance(0.3)}
    a = d.array([k, m] if attrs.get("transA") else [m, k], dtype)
    b = d.array([n, k] if attrs.get("transB") else [k, n], dtype)
    c = d.array(d.pick([[m, n], [n], [1, n], [m, 1], [1], [], [1, 1]]), dtype)
    if d.version >= 11 and d.chance(0.3):
        c = None
    fixed = d.chance(0.6)
    return d.case([a, Input(b, fixed), None if c is None else Input(c, fixed)], attrs, slack=10)


@ops("MatMul")
def matmul(d):
    m, k, n, dtype = d.pick([1, 2, 5, 17]), d.pick([1, 3, 8, 65]), d.pick([1, 4, 9, 33]), d.dtype()
    batch = d.shape(0, 4, largest=3)
    a = [] if d.chance(0.15) else [m]
    b = [] if d.chance(0.15) else [n]
    left, right = [1 if d.chance(0.3) else s for s in batch], [1 if d.chance(0.3) else s for s in batch]
    left, right = left[d.int(0, len(left)) if d.chance(0.4) else 0:], right[d.int(0, len(right)) if d.chance(0.4) else 0:]
    x = d.array((left if a else []) + a + [k], dtype)
    y = d.array((right if b else []) + [k] + b, dtype)
    return d.case([x, Input(y, d.chance())], slack=10)


@ops("BatchNormalization")
def batch_norm(d):
    shape = d.shape(2, 5, largest=9)
    dtype = d.dtype("T", "f")
    vectors = [d.array([shape[1]], dtype, low, 2) for low in (-2, -2, -2, 0.1)]
    attrs = {"epsilon": d.pick([1e-5, 1e-3, 0.1])} if d.chance() else {}
    attrs |= {"momentum": 0.5} if d.chance(0.2) else {}
    fixed = d.chance(0.7)
    return d.case([d.array(shape, dtype), *[Input(v, fixed) for v in vectors]], attrs, slack=5)


@ops("InstanceNormalization")
def instance_norm(d):
    shape = d.shape(3, 5, largest=9)
    dtype = d.dtype("T", "f")
    return d.case([d.array(shape, dtype), d.array([shape[1]], dtype), d.array([shape[1]], dtype)],
                  {"epsilon": d.pick([1e-5, 0.1])} if d.chance() else {}, slack=10)


@ops("LayerNormalization")
def layer_norm(d):
    shape = d.shape(1, 5)
    dtype, axis = d.dtype("T", "f"), d.int(-len(shape), len(shape) - 1)
    scale = d.array(shape[axis:], dtype)
    bias = d.array(shape[axis:], dtype) if d.chance() else None
    attrs = {"axis": axis} if axis != -1 or d.chance() else {}
    return d.case([d.array(shape, dtype), scale, bias], attrs | ({"epsilon": 0.1} if d.chance() else {}), slack=10)


@ops("GroupNormalization")
def group_norm(d):
    shape = d.shape(3, 5, largest=9)
    group, dtype = d.int(1, 3), d.dtype("T", "f")
    shape[1] = group * d.int(1, 4)
    n = group if d.version < 21 else shape[1]
    return d.case([d.array(shape, dtype), d.array([n], dtype), d.array([n], dtype)],
                  {"num_groups": group} | ({"epsilon": 0.1} if d.chance() else {}), slack=10)


@ops("MeanVarianceNormalization")
def mean_variance(d):
    shape = d.shape(4, 4, largest=9)
    attrs = {"axes": sorted(int(a) for a in d.rng.permutation(4)[:d.int(1, 3)])} if d.chance() else {}
    return d.case([d.array(shape, d.dtype("T", "f"))], attrs, slack=50)


@ops("Dropout")
def dropout(d):
    x = d.array(d.shape(1), d.dtype("T", "f"))
    if d.version < 12:  # what the mask is then stands nowhere
        return d.case([x], {"ratio": 0.3} if d.chance() else {})
    n = d.int(1, 2)
    ratio = constant(0.3, np.float32) if d.chance() else None
    training = Input(np.asarray(False), True) if d.chance(0.3) else None
    return d.case([x, ratio, training], {"seed": 1} if d.chance(0.2) else {}, n_outputs=n)


@ops("DepthToSpace", "SpaceToDepth")
def depth_to_space(d):
    block, channels = d.int(1, 3), d.pick([1, 2, 3, 5])
    height, width = d.int(1, 5), d.int(1, 5)
    shape = [d.int(1, 2), channels * block * block, height, width] if d.op == "DepthToSpace" else \
        [d.int(1, 2), channels, height * block, width * block]
    attrs = {"mode": d.pick(["DCR", "CRD"])} if "mode" in d.schema.attributes and d.chance() else {}
    return d.case([d.array(shape, d.dtype())], attrs | {"blocksize": block})


# --- Other sizes ---

@ops("Resize", oracles=ORT)
def resize(d):
    rank = d.pick([3, 4, 4, 4, 5])
    shape = [d.int(1, 2), d.pick([1, 2, 3])] + [d.int(1, 9) for _ in range(rank - 2)]
    mode = d.pick(["nearest", "linear", "cubic"] if rank == 4 and d.version >= 11 else ["nearest", "linear"])
    if rank == 5 and mode == "linear" and d.version < 13:
        return None
    dtype = np.float32 if mode != "nearest" else d.dtype("T1" if d.version >= 11 else "T")
    x = d.array(shape, dtype)
    attrs = {"mode": mode}
    factors = [d.pick([0.5, 1, 1.5, 2, 3, 0.6]) for _ in shape[2:]]
    scales = Input(np.asarray([1, 1, *factors], np.float32), True)
    if any(int(n * f) < 1 for n, f in zip(shape[2:], factors)):
        return None
    if d.version < 11:
        return d.case([x, scales], attrs)
    coordinates = ["half_pixel", "asymmetric", "pytorch_half_pixel", "tf_crop_and_resize"]
    if d.version >= 19 and mode != "nearest":
        coordinates.append("half_pixel_symmetric")  # of nearest, a sum that float32 rounds decides between neighbours
    if all(n * f == int(n * f) for n, f in zip(shape[2:], factors)):
        coordinates += ["align_corners"] * 2  # else ONNX Runtime rounds the length first, which ONNX's own cases do not
    if d.chance(0.8):
        attrs["coordinate_transformation_mode"] = d.pick(coordinates)
    if mode == "nearest" and d.chance(0.8):
        attrs["nearest_mode"] = d.pick(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
    if mode == "cubic":
        attrs |= {"cubic_coeff_a": -0.5} if d.chance(0.3) else {}
        attrs |= {"exclude_outside": 1} if d.chance(0.3) else {}
    if mode != "nearest" and d.version >= 18 and rank == 4 and d.chance(0.3):
        attrs["antialias"] = 1
    axes = list(range(rank))
    if d.version >= 18 and d.chance(0.3):
        axes = attrs["axes"] = list(range(2, rank))
    roi = None
    if attrs.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        if "antialias" in attrs or rank == 5 or 1 in factors:
            return None  # ONNX Runtime leaves an axis with a scale of 1 alone, whatever is cropped
        ends = [(0.0, 1.0), (0.0, 1.0)] + [(d.pick([0, 0.1, 0.3]), d.pick([1, 0.8, 1.2])) for _ in shape[2:]]
        roi = constant([ends[a][0] for a in axes] + [ends[a][1] for a in axes], np.float32)
        attrs |= {"extrapolation_value": 7.5} if d.chance() else {}
    none = Input(np.zeros(0, np.float32), True) if d.version < 13 else None
    if d.chance():
        return d.case([x, roi or none, Input(scales.array[axes], True)], attrs, slack=5)
    if d.version >= 18 and d.chance(0.3):
        attrs["keep_aspect_ratio_policy"] = d.pick(["stretch", "not_larger", "not_smaller"])
    sizes = [max(1, int(n * f)) for n, f in zip(shape, [1, 1, *factors])]
    return d.case([x, roi or none, none, constant([sizes[a] for a in axes])], attrs, slack=5)


@ops("Upsample", oracles=ORT)
def upsample(d):
    shape = [d.int(1, 2), d.pick([1, 2, 3]), d.int(1, 9), d.int(1, 9)]
    mode = d.pick(["nearest", "linear"])
    scales = [1.0, 1.0, float(d.pick([1, 1.5, 2, 3])), float(d.pick([1, 1.5, 2, 3]))]
    attrs = {"mode": mode} if mode == "linear" or d.chance() else {}
    x = d.array(shape)
    return d.case([x], attrs | {"scales": scales}) if d.version < 9 else d.case([x, constant(scales, np.float32)], attrs)

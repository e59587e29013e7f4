"""What the generators of check_ops.py are made of: GENERATORS names a function for each operator, which makes one case.

A generator gets a Draw (the random numbers, the opset, and what the operator's schema says at that opset) and returns a
Case, or None where it drew nothing sensible. To add an operator: a function with @ops ("Name", ...) in one of the
check_ops_*.py that check_ops.py imports.
"""
import dataclasses
import math

import numpy as np
import onnx

OPSETS = range(7, 23)
# Elements of an input, so that a case takes milliseconds.
MAX_ELEMENTS = 6000
SIZES = (1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 16, 17, 19, 33)
NUMPY_TYPES = {"float": np.float32, "double": np.float64, "float16": np.float16, "int8": np.int8, "int16": np.int16,
               "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32,
               "uint64": np.uint64, "bool": np.bool_}
# Who is asked about an operator, in this order, where that is not everybody (check_ops.ORACLES); the reason stands at the
# generator.
ORACLES = {}
# Of windows, orders of equals and integers the reference evaluator makes something of its own.
ORT = ("onnxruntime", "float32")

GENERATORS = {}
# Operators that ONNX does not have.
DOMAINS = {}


def ops(*names, oracles=None, domain=""):
    def register(function):
        for name in names:
            GENERATORS[name] = function
            if domain:
                DOMAINS[name] = domain
            if oracles:
                ORACLES[name] = oracles
        return function
    return register


@dataclasses.dataclass
class Input:
    array: np.ndarray
    constant: bool = False


@dataclasses.dataclass
class Case:
    op: str
    opset: int
    inputs: list
    attrs: dict
    n_outputs: int = 1
    domain: str = ""
    nodes: list = None  # instead of the one node that op and attrs describe
    through: tuple = ()  # types that values have on their way
    bfloat16: bool = False  # float32 stands for it: there is no such type in numpy
    free: bool = False  # the file does not say how large the inputs are
    oracle: str = ""  # who gave the outputs
    slack: float = 1  # factor on the tolerance: sums of many terms, functions of functions


class Draw:
    """What a generator draws from."""

    def __init__(self, op, opset, rng):
        self.op, self.opset, self.rng = op, opset, rng
        self.schema = None if op in DOMAINS else onnx.defs.get_schema(op, opset, "")
        self.version = self.schema.since_version if self.schema else 1

    def chance(self, p=0.5):
        return bool(self.rng.random() < p)

    def pick(self, values):
        values = list(values)
        return values[int(self.rng.integers(len(values)))]

    def int(self, low, high):
        """low ... high"""
        return int(self.rng.integers(low, high + 1))

    def shape(self, low=1, high=6, largest=None):
        rank = self.int(low, high)
        while True:
            shape = [self.pick(s for s in SIZES if largest is None or s <= largest) for _ in range(rank)]
            if math.prod(shape) <= MAX_ELEMENTS:
                return shape

    def dtype(self, parameter="T", only=None):
        """One of the types that the schema allows; mostly float32."""
        names = [t[7:-1] for c in self.schema.type_constraints if c.type_param_str == parameter
                 for t in c.allowed_type_strs if t.startswith("tensor(")]
        types = [NUMPY_TYPES[n] for n in names if n in NUMPY_TYPES]
        types = [t for t in types if only is None or np.dtype(t).kind in only]
        if np.float32 in types and self.chance(0.55):
            return np.float32
        return self.pick(types)

    def array(self, shape, dtype=np.float32, low=-3, high=3, step=None):
        """Random numbers; integers of small types use their whole range now and then, floats repeat now and then."""
        dtype = np.dtype(dtype)
        shape = tuple(shape)
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        if dtype.kind in "iu":
            low, high = max(math.ceil(low), 0 if dtype.kind == "u" else low), math.floor(high)
            return self.rng.integers(low, high + 1, shape).astype(dtype)
        x = self.rng.uniform(low, high, shape)
        if step or self.chance(0.25):
            x = np.clip(np.round(x / (step or 0.5)) * (step or 0.5), low, high)
        return np.asarray(x, dtype)

    def broadcast_to(self, shape, dtype=np.float32, **how):
        """An array that broadcasts to `shape`: leading dimensions left out, some of size 1."""
        own = [1 if self.chance(0.3) else d for d in shape]
        if self.chance(0.4):
            own = own[self.int(0, len(own)):]
        return self.array(own, dtype, **how)

    def case(self, inputs, attrs=None, **more):
        """Inputs are arrays (given at run time), Inputs, or None."""
        wrapped = [i if i is None or isinstance(i, Input) else Input(np.asarray(i)) for i in inputs]
        while wrapped and wrapped[-1] is None and self.chance(0.8):
            wrapped.pop()
        return Case(self.op, self.opset, wrapped, attrs or {}, domain=DOMAINS.get(self.op, ""), **more)


def constant(values, dtype=np.int64):
    return Input(np.asarray(values, dtype), True)


def make(op, rng):
    """One case of the operator at a random opset, or None."""
    opset = int(rng.integers(OPSETS[0], OPSETS[-1] + 1))
    try:
        draw = Draw(op, opset, rng)
    except onnx.defs.SchemaError:
        return None
    if draw.schema and draw.schema.deprecated:
        return None
    case = GENERATORS[op](draw)
    if case is not None and not case.nodes:
        case.free = draw.chance(0.3)
        case.bfloat16 = bool(draw.schema) and draw.chance(0.1) and make_bfloat16(case, draw.schema)
    return case


def make_bfloat16(case, schema):
    """Rounds the float32 inputs, if bfloat16 may stand in all their places."""
    params = {}
    for formal, value in zip(list(schema.inputs) + [schema.inputs[-1]] * 9 if schema.inputs else [], case.inputs):
        if value is not None and value.array.dtype == np.float32:
            params[formal.type_str] = True
    allowed = {c.type_param_str for c in schema.type_constraints if "tensor(bfloat16)" in c.allowed_type_strs}
    if not params or set(params) - allowed:
        return False
    for value in case.inputs:
        if value is not None and value.array.dtype == np.float32:
            bits = value.array.reshape(-1).view(np.uint32)
            rounded = (bits + 0x7fff + ((bits >> 16) & 1)) & np.uint32(0xffff0000)
            value.array = rounded.astype(np.uint32).view(np.float32).reshape(value.array.shape)
    return True

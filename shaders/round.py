#!/usr/bin/env python3
"""round.py IN.spv OUT.spv: makes what is stored as 16-bit floats be rounded to the nearest, ties to even.

GLSL cannot say how, and unless a shader says so a device may cut off instead. SPIR-V can: decoration FPRoundingMode on
a conversion that is stored as it is, which every device with 16-bit storage has to follow. Here each conversion to
16-bit floats gets it (a shader that only reads them has none); spirv-val checks that they are such.
Format: the SPIR-V specification, unified 1.x, sections 2.3 (layout), 3.20 (decorations) and 3.52 (opcodes).
"""
import struct
import sys

TYPE_FLOAT, TYPE_VECTOR, DECORATE, F_CONVERT = 22, 23, 71, 115
FP_ROUNDING_MODE, TO_NEAREST_EVEN = 39, 0


def instructions(words):
    at = 5
    while at < len(words):
        length = words[at] >> 16
        yield at, words[at] & 0xFFFF, words[at + 1 : at + length]
        at += length


def main(source, target):
    with open(source, "rb") as file:
        data = file.read()
    words = list(struct.unpack(f"<{len(data) // 4}I", data))
    halves, decorations, first = set(), [], None
    for at, opcode, operands in instructions(words):
        if opcode == DECORATE and first is None:
            first = at
        elif opcode == TYPE_FLOAT and operands[1] == 16 or opcode == TYPE_VECTOR and operands[1] in halves:
            halves.add(operands[0])
        elif opcode == F_CONVERT and operands[0] in halves:
            decorations += [4 << 16 | DECORATE, operands[1], FP_ROUNDING_MODE, TO_NEAREST_EVEN]
    if decorations:
        words[first:first] = decorations
    with open(target, "wb") as file:
        file.write(struct.pack(f"<{len(words)}I", *words))


main(*sys.argv[1:])

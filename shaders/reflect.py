#!/usr/bin/env python3
"""reflect.py NAME OUT.h OUT.c VARIANT=FILE.spv ...: a shader's interface and its words, for C.

What a shader declares is read from its SPIR-V and written down for C, so that nobody types it twice: the push
constants as a struct, the specialisation constants as an enum, how many buffers there are, which of them it writes
and which it reads as texels. All variants of a shader (the same source under other macros) have to declare the same,
but for what is read as texels.
Format: the SPIR-V specification, unified 1.x, sections 2.3 (layout) and 3 (binary form).
"""
import re
import struct
import sys

MAGIC = 0x07230203

# Opcodes that matter here, and the decorations.
NAME, MEMBER_NAME, SOURCE, SOURCE_EXTENSION, STRING, LINE, NO_LINE, PROCESSED = 5, 6, 3, 4, 7, 8, 317, 330
CAPABILITY, TYPE_BOOL, TYPE_INT, TYPE_FLOAT, TYPE_IMAGE, TYPE_SAMPLED_IMAGE = 17, 20, 21, 22, 25, 27
TYPE_ARRAY, TYPE_RUNTIME_ARRAY, TYPE_STRUCT, TYPE_POINTER, CONSTANT = 28, 29, 30, 32, 43
SPEC_TRUE, SPEC_FALSE, SPEC_CONSTANT, VARIABLE, DECORATE, MEMBER_DECORATE = 48, 49, 50, 59, 71, 72
SPEC_ID, ARRAY_STRIDE, NON_WRITABLE, BINDING, OFFSET = 1, 6, 24, 33, 35
UNIFORM_CONSTANT, PUSH_CONSTANT, STORAGE_BUFFER = 0, 9, 12
DIM_BUFFER = 5 # of an image

# Debug instructions, which drivers need not see.
DEBUG = {NAME, MEMBER_NAME, SOURCE, SOURCE_EXTENSION, STRING, LINE, NO_LINE, PROCESSED}

# Capabilities that a device may lack, with the flag of SlShader.needs.
NEEDS = {
    9: "FLOAT16", 39: "INT8", 22: "INT16", 4433: "STORAGE16", 4448: "STORAGE8", 5357: "MATRIX_NV", 6022: "MATRIX_KHR",
}
IGNORED = {1: "Shader", 0: "Matrix", 46: "SampledBuffer", 61: "GroupNonUniform"}
# Taken with matrices: physical.c asks for both.
IGNORED[5345] = "VulkanMemoryModel"


class Wrong(Exception):
    """What the shader does cannot be told to C."""


def text_of(words):
    return struct.pack(f"<{len(words)}I", *words).split(b"\0")[0].decode()


class Module:
    """One SPIR-V file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        self.words = list(struct.unpack(f"<{len(data) // 4}I", data))
        if self.words[0] != MAGIC:
            raise Wrong(f"{path} is no SPIR-V")
        self.names, self.members, self.types = {}, {}, {}
        self.constants, self.specs, self.variables = {}, {}, []
        self.decorations, self.member_decorations, self.capabilities = {}, {}, set()
        for opcode, operands in self.instructions():
            self.take(opcode, operands)

    def instructions(self):
        at = 5
        while at < len(self.words):
            length, opcode = self.words[at] >> 16, self.words[at] & 0xFFFF
            yield opcode, self.words[at + 1 : at + length]
            at += length

    def take(self, opcode, words):
        if opcode == NAME:
            self.names[words[0]] = text_of(words[1:])
        elif opcode == MEMBER_NAME:
            self.members[words[0], words[1]] = text_of(words[2:])
        elif opcode == CAPABILITY:
            self.capabilities.add(words[0])
        elif opcode in (TYPE_BOOL, TYPE_INT, TYPE_FLOAT, TYPE_IMAGE, TYPE_SAMPLED_IMAGE, TYPE_ARRAY, TYPE_RUNTIME_ARRAY,
                        TYPE_STRUCT, TYPE_POINTER):
            self.types[words[0]] = (opcode, words[1:])
        elif opcode == CONSTANT:
            self.constants[words[1]] = words[2]
        elif opcode in (SPEC_CONSTANT, SPEC_TRUE, SPEC_FALSE):
            self.specs[words[1]] = (words[0], words[2] if opcode == SPEC_CONSTANT else int(opcode == SPEC_TRUE))
        elif opcode == VARIABLE:
            self.variables.append((words[0], words[1], words[2]))
        elif opcode == DECORATE:
            self.decorations[words[0], words[1]] = words[2] if len(words) > 2 else True
        elif opcode == MEMBER_DECORATE:
            self.member_decorations[words[0], words[1], words[2]] = words[3] if len(words) > 3 else True

    def scalar(self, type_id, what):
        opcode, words = self.types[type_id]
        if opcode == TYPE_FLOAT and words[0] == 32:
            return "float"
        if opcode == TYPE_INT and words[0] == 32:
            return "int32_t" if words[1] else "uint32_t"
        if opcode == TYPE_BOOL:
            return "uint32_t"
        raise Wrong(f"{what} is neither uint, int nor float")

    def push(self):
        """[(C type, name, elements or 0)] of the push constants, densely packed."""
        blocks = [pointer for pointer, _, kind in self.variables if kind == PUSH_CONSTANT]
        if not blocks:
            return []
        block = self.types[blocks[0]][1][1]
        fields, at = [], 0
        for index, member in enumerate(self.types[block][1]):
            name, count = self.members[block, index], 0
            element = member
            if self.types[member][0] == TYPE_ARRAY:
                element, length = self.types[member][1]
                count = self.constants[length]
                if self.decorations[member, ARRAY_STRIDE] != 4:
                    raise Wrong(f"push constant {name} is not an array of scalars")
            if self.member_decorations[block, index, OFFSET] != at:
                raise Wrong(f"push constant {name} does not follow the one before it")
            fields.append((self.scalar(element, f"push constant {name}"), name, count))
            at += 4 * max(count, 1)
        if at > 128:
            raise Wrong(f"push constants of {at} bytes; every device has 128, not every one more")
        return fields

    def constants_by_id(self):
        """[(C type, name, default)] of specialisation constants 0, 1, ...; all have to be there."""
        found = {}
        for result, (type_id, value) in self.specs.items():
            number, name = self.decorations.get((result, SPEC_ID)), self.names.get(result)
            if number is None:
                continue
            if name or number not in found:
                found[number] = (self.scalar(type_id, f"specialisation constant {number}"), name, value)
        for number in range(len(found)):
            if number not in found or not found[number][1]:
                raise Wrong(f"specialisation constant {number} is missing or has no name")
        return [found[number] for number in range(len(found))]

    def bindings(self):
        """(number of buffers, bit mask of those that are written, bit mask of texel buffers)."""
        numbers, written, texels = [], 0, 0
        for pointer, result, kind in self.variables:
            if kind == UNIFORM_CONSTANT:
                numbers.append(self.texel_buffer(pointer, result))
                texels |= 1 << numbers[-1]
            if kind != STORAGE_BUFFER:
                continue
            number, block = self.decorations[result, BINDING], self.types[pointer][1][1]
            numbers.append(number)
            members = range(len(self.types[block][1]))
            readonly = (result, NON_WRITABLE) in self.decorations or all(
                (block, member, NON_WRITABLE) in self.member_decorations for member in members)
            written |= 0 if readonly else 1 << number
        if sorted(set(numbers)) != list(range(len(set(numbers)))):
            raise Wrong(f"bindings {sorted(numbers)} are not 0, 1, ...")
        return len(set(numbers)), written, texels

    def texel_buffer(self, pointer, result):
        """The binding of a uniform texel buffer, the only kind of image that there may be."""
        opcode, words = self.types[self.types[pointer][1][1]]
        if opcode != TYPE_SAMPLED_IMAGE or self.types[words[0]][1][1] != DIM_BUFFER:
            raise Wrong(f"{self.names.get(result)} is no buffer")
        return self.decorations[result, BINDING]

    def needs(self):
        unknown = self.capabilities - NEEDS.keys() - IGNORED.keys()
        if unknown:
            raise Wrong(f"capabilities {sorted(unknown)} are not known to reflect.py")
        return sorted(NEEDS[number] for number in self.capabilities & NEEDS.keys())

    def stripped(self):
        words, at = self.words[:5], 5
        while at < len(self.words):
            length = self.words[at] >> 16
            if self.words[at] & 0xFFFF not in DEBUG:
                words += self.words[at : at + length]
            at += length
        return words


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def c_float(bits):
    return repr(struct.unpack("<f", struct.pack("<I", bits))[0])


def write_header(path, name, modules):
    first = next(iter(modules.values()))
    push, specs = first.push(), first.constants_by_id()
    lines = [f"/* The interface of {name}.comp. Made by reflect.py. */", "#pragma once", "",
             '#include "dispatch/shader.h"', ""]
    lines += [f"extern const SlShader sl_shader_{variant};" for variant in modules]
    if push:
        struct_name = f"Sl{camel(name)}Push"
        lines += ["", f"typedef struct {struct_name} {{"]
        lines += [f"  {kind} {field}{f'[{count}]' if count else ''};" for kind, field, count in push]
        size = sum(4 * max(count, 1) for _, _, count in push)
        lines += [f"}} {struct_name};", f"G_STATIC_ASSERT (sizeof ({struct_name}) == {size});"]
    if specs:
        lines += ["", "/* Specialisation constants, with what they are unless set. */", "enum {"]
        for number, (kind, field, default) in enumerate(specs):
            shown = c_float(default) if kind == "float" else default
            lines.append(f"  SL_{name.upper()}_{field.upper()} = {number}, /* {kind}: {shown} */")
        lines += ["};"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write_source(path, name, modules):
    lines = [f'#include "{name}.h"', ""]
    for variant, module in modules.items():
        words = module.stripped()
        bindings, written, texels = module.bindings()
        specs = module.constants_by_id()
        needs = " | ".join(f"SL_SHADER_{need}" for need in module.needs()) or "0"
        lines.append(f"static const uint32_t {variant}_code[] = {{")
        lines += ["  " + ", ".join(f"{word:#x}" for word in words[at : at + 10]) + "," for at in range(0, len(words), 10)]
        lines.append("};")
        if specs:
            lines += [f"static const uint32_t {variant}_specs[] = {{",
                      "  " + ", ".join(f"{default:#x}" for _, _, default in specs), "};"]
        lines += ["", f"const SlShader sl_shader_{variant} = {{", f'  .name = "{variant}",', f"  .code = {variant}_code,",
                  f"  .code_size = sizeof {variant}_code,", f"  .n_bindings = {bindings},", f"  .written = {written:#x},",
                  f"  .texels = {texels:#x},",
                  f"  .push_size = {sum(4 * max(count, 1) for _, _, count in module.push())},",
                  f"  .n_specs = {len(specs)},", f"  .specs = {f'{variant}_specs' if specs else 'NULL'},",
                  f"  .needs = {needs},", "};", ""]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def main(name, header, source, *files):
    modules = {}
    for file in files:
        variant, _, path = file.partition("=")
        modules[variant] = Module(path)
    interfaces = {repr((module.push(), module.constants_by_id(), module.bindings()[:2])) for module in modules.values()}
    if len(interfaces) != 1:
        raise Wrong("its variants declare different constants or bindings")
    for kind, field, _ in next(iter(modules.values())).push():
        if not re.fullmatch("[a-z][a-z0-9_]*", field):
            raise Wrong(f"push constant {field} ({kind}) is no name for C")
    write_header(header, name, modules)
    write_source(source, name, modules)


try:
    main(*sys.argv[1:])
except Wrong as error:
    sys.exit(f"{sys.argv[1]}.comp: {error}")

#!/usr/bin/env python3
"""hash.py OUT.c FILE.spv ...: one number of all shaders, which says when compiled pipelines that were kept are of others."""
import hashlib
import sys

_, out, *files = sys.argv
total = hashlib.sha256()
for path in files:
    with open(path, "rb") as file:
        total.update(hashlib.sha256(file.read()).digest())
with open(out, "w", encoding="ascii") as file:
    file.write(f'#include "dispatch/shader.h"\n\nconst char sl_shaders_hash[] = "{total.hexdigest()}";\n')

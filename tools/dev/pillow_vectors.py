#!/usr/bin/env python3
"""Writes tests/image/data/pillow.h: what Pillow makes of synthetic pictures.

Needs Pillow. The pictures come from a formula that tests/image/pillow.c repeats, so only results are stored:

    tools/dev/pillow_vectors.py > tests/image/data/pillow.h
"""
import PIL
from PIL import Image

# width, height, rule, output width, output height, resize size
CASES = [
    (37, 23, 'STRETCH', 16, 12, 0),
    (64, 48, 'STRETCH', 7, 5, 0),
    (10, 6, 'STRETCH', 17, 13, 0),
    (9, 31, 'STRETCH', 14, 5, 0),
    (1, 1, 'STRETCH', 3, 4, 0),
    (200, 3, 'STRETCH', 5, 7, 0),
    (2, 150, 'STRETCH', 5, 4, 0),
    (33, 57, 'CROP', 12, 12, 15),
    (91, 40, 'CROP', 13, 10, 15),
    (12, 8, 'CROP', 14, 14, 16),
    (50, 31, 'CROP', 9, 9, 9),
]


def picture(width, height):
    """Smooth waves with a sharp, busy texture on top; every byte value occurs."""
    image = Image.new('RGB', (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), tuple(
                (x * (5 + 3 * c) + y * (9 - 2 * c) + (x * y * 31 >> 2 & 127) + (x ^ y) * 64) & 255
                for c in range(3)))
    return image


def resized(image, rule, width, height, size):
    if rule == 'STRETCH':
        return image.resize((width, height), Image.BILINEAR)
    # torchvision.transforms.Resize (size) and CenterCrop ((height, width))
    short, long = sorted(image.size)
    new_long = int(size * long / short)
    portrait = image.size[0] <= image.size[1]
    image = image.resize((size, new_long) if portrait else (new_long, size), Image.BILINEAR)
    left = int(round((image.size[0] - width) / 2.0))
    top = int(round((image.size[1] - height) / 2.0))
    return image.crop((left, top, left + width, top + height))


print(f'/* Made by tools/dev/pillow_vectors.py with Pillow {PIL.__version__}. */')
print('static const PillowCase pillow_cases[] = {')
for width, height, rule, out_width, out_height, size in CASES:
    out = resized(picture(width, height), rule, out_width, out_height, size)
    data = out.tobytes()
    assert len(data) == out_width * out_height * 3
    print(f'  {{ {width}, {height}, SL_RESIZE_{rule}, {out_width}, {out_height}, {size},')
    for start in range(0, len(data), 24):
        text = ''.join(f'\\x{byte:02x}' for byte in data[start:start + 24])
        print(f'    "{text}"')
    print('  },')
print('};')

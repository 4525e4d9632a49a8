#!/usr/bin/env python3
"""Prints number_vectors.h: numbers, and their bytes as Python computes them."""
import random

random.seed(20240229)


def varint(number):
    length = (number + (number < 0)).bit_length() // 8 + 1
    return number.to_bytes(length, "big", signed=True).hex()


def wrapped(text):
    lines = [text[i:i + 96] for i in range(0, len(text), 96)]
    return "\n\t\t".join('"%s"' % line for line in lines)


def numbers():
    for bits in (0, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 1000):
        for offset in (-1, 0, 1):
            yield 2 ** bits + offset
    for digits in (1, 8, 9, 10, 17, 18, 19, 27, 100, 306, 307, 308, 309, 310, 311, 3000):
        yield 10 ** digits - 1
        yield 10 ** digits
    for digits in (5, 12, 20, 40, 80, 160, 300, 320, 640, 1000, 4000):
        yield random.randrange(10 ** (digits - 1), 10 ** digits)


print("/* Made by number_vectors.py: decimal text, and the varint in hexadecimal. */")
print("static const char *const number_vectors[][2] = {")
for number in sorted(set(numbers())):
    for signed in (number, -number) if number else (number,):
        print("\t{%s,\n\t\t%s}," % (wrapped(str(signed)), wrapped(varint(signed))))
print("};")

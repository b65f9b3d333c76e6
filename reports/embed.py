#!/usr/bin/env python3
"""Turns a text file into a C header with one string: embed.py NAME INPUT OUTPUT."""
import sys

name, source, target = sys.argv[1:]
with open(source, encoding="utf-8") as text, open(target, "w", encoding="utf-8") as out:
    out.write(f"/* made from {source.rsplit('/', 1)[-1]}; do not edit */\n")
    out.write(f"static const char {name}[] =\n")
    for line in text:
        body = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
        out.write(f'\t"{body}\\n"\n')
    out.write("\t;\n")

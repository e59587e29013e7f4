#!/usr/bin/env python3
"""An application that asks a pipeline what it sees: prints the label and the warmest place of every frame.

    watch.py                        the built-in scenes and network
    watch.py clip.mp4 model.onnx    footage, a camera ("camera:0") or a stream ("rtsp://…")

Needs python3-gi, gir1.2-gst-plugins-base-1.0 and SightlineGst-0.typelib, which Sightline installs.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("SightlineGst", "0")
from gi.repository import Gst, GstApp, SightlineGst  # noqa: E402 (after the versions)

POLL_INTERVAL = 100 * Gst.MSECOND


def make_pipeline(location=None, model=None):
    """Properties are set as values, not pasted into the line: a file name may hold anything."""
    source = "slsrc" if location else "sltestsrc num-buffers=60"
    line = f"{source} name=source ! slheatmap name=look output=none ! appsink name=out sync=false max-buffers=4"
    pipeline = Gst.parse_launch_full(line, None, Gst.ParseFlags.FATAL_ERRORS)
    if location:
        pipeline.get_by_name("source").set_property("location", location)
    if model:
        pipeline.get_by_name("look").set_property("model-file", model)
    return pipeline


def describe(buffer):
    """One line for a frame, or None. Metadata are the buffer's: read them while you hold it."""
    labels = SightlineGst.buffer_get_label_meta(buffer, "look")
    places = SightlineGst.buffer_get_geometry_meta(buffer, "look")
    if not labels or labels.n_labels == 0:
        return None
    best = labels.get_label(0)
    line = f"{buffer.pts / Gst.SECOND:6.3f} s  {best.label:<10} {best.score:.2f}"
    if labels.age > 0:  # live, the network may be slower than the video
        line += f"  ({labels.age} frames old)"
    if places and places.n_boxes > 0:
        box = places.get_box(0)
        line += f"  at {box.x:.0f},{box.y:.0f}, {box.width:.0f} x {box.height:.0f}"
    return line


def main(arguments):
    Gst.init(None)
    pipeline = make_pipeline(*arguments)
    out, bus = pipeline.get_by_name("out"), pipeline.get_bus()
    n_frames = n_results = 0
    pipeline.set_state(Gst.State.PLAYING)
    try:
        while not out.is_eos():
            sample = out.try_pull_sample(POLL_INTERVAL)
            if sample:
                n_frames += 1
                print(describe(sample.get_buffer()) or "nothing yet")
            while message := bus.pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.ELEMENT):
                if message.type == Gst.MessageType.ERROR:
                    sys.exit(f"{message.src.name}: {message.parse_error().gerror.message}")
                # Each result is a message, too: for who needs no pictures.
                n_results += message.get_structure().get_name() == "slheatmap"
    finally:
        pipeline.set_state(Gst.State.NULL)
    print(f"{n_frames} frames, {n_results} results")
    return 0 if n_frames and n_results else 1


if __name__ == "__main__":
    if len(sys.argv) > 3 or {"-h", "--help"} & set(sys.argv[1:]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))

"""Frames, pictures and sound in and out of files; the only layer that imports av.

Read: `reader.open_frames`, `images.read_picture`. Write: `writer.open_writer`, `images.write_png`.
Sound travels as an `audio.AudioTrack`; frame rates change in `timeline`.
"""

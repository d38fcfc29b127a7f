"""Which triangle covers which pixel: one interface, three ways."""

from retarget_cli.body.raster.interface import Fragments, choose_rasterizer, rasterize

__all__ = ["Fragments", "choose_rasterizer", "rasterize"]

"""The parameters cells of the driving notebooks, as checked models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "zh"]
Budget = Literal["quick", "standard", "thorough"]
Layout = Literal["kitti", "coco", "bdd", "camvid", "cityscapes", "cvat", "nuscenes", "waymo"]


class RoadParameters(BaseModel):
    """What a consultant sets to train, judge and pack perception for a client's cameras."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str = Field(
        default="streets",
        description="streets (rendered by the kit, every label exact), or a folder of your own "
        "labelled frames.",
    )
    layout: Layout = Field(
        default="kitti",
        description="How your folder is laid out: kitti (image_2, label_2, calib), coco "
        "(images/ and labels.json), bdd (images/ and labels.json), camvid or cityscapes (images/ "
        "and masks/), cvat (images/ and annotations.xml), nuscenes (samples/ and one folder of "
        "tables) or waymo (TFRecord files of frames).",
    )
    start: str = Field(
        default="imagenet",
        description="Weights that training starts from: imagenet, shipped (already taught on "
        "rendered streets), or a file that save_network wrote.",
    )
    budget: Budget = Field(
        default="standard",
        description="quick (a look), standard (two minutes of learning) or thorough (an hour; a "
        "GPU is used where there is one).",
    )
    runtime: Literal["onnx", "onnx_int8"] = Field(
        default="onnx",
        description="What the bundle runs on: onnx, or onnx_int8 if it stays within the limits.",
    )
    miou_limit: float = Field(
        default=0.01, ge=0, le=0.2,
        description="Mean IoU that an exported network may lose; one that loses more is refused.",
    )  # fmt: skip
    private: bool = Field(
        default=False, description="Hide heads and number plates in all pictures that are kept."
    )
    language: Language = Field(default="en", description="Language of the report: en or zh.")
    threads: int = Field(default=1, ge=1, le=64, description="Processor threads.")
    seed: int = Field(default=0, ge=0, lt=1_000_000, description="Everything follows from it.")
    out: str = Field(default="runs", description="Folder that receives the run's folder.")

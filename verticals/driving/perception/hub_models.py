"""Small random models of the hub's kinds, so that everything but their skill works offline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

DetectorKind = Literal["d_fine", "rt_detr"]
SegmenterKind = Literal["segformer", "mask2former"]


def random_detector(kind: DetectorKind, labels: Sequence[str], *, side: int = 160) -> Any:
    """A D-FINE (Peng et al., 2024) or RT-DETR (Zhao et al., 2024) with its image processor.

    Args:
        kind: Which.
        labels: What it tells apart.
        side: Pixels to which images are brought; a multiple of 32.

    Returns:
        (model, processor) of transformers, without any skill; fill it by training.
    """
    import transformers

    hub: Any = transformers  # its configurations' signatures are not those they accept

    names = _names(labels)
    shared: dict[str, Any] = {
        "encoder_hidden_dim": 32, "decoder_in_channels": [32, 32, 32], "d_model": 32,
        "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "num_queries": 50, "decoder_layers": 2,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_denoising": 10, **names,
    }  # fmt: skip
    out = {"out_features": ["stage2", "stage3", "stage4"]}
    if kind == "d_fine":
        backbone = hub.HGNetV2Config(
            stem_channels=[3, 8, 8], stage_in_channels=[8, 16, 24, 32],
            stage_mid_channels=[8, 8, 8, 16], stage_out_channels=[16, 24, 32, 48],
            stage_num_blocks=[1] * 4, stage_numb_of_layers=[2] * 4,
            hidden_sizes=[16, 24, 32, 48], embedding_size=8, **out,
        )  # fmt: skip
        config = hub.DFineConfig(
            backbone_config=backbone, encoder_in_channels=[24, 32, 48], hidden_expansion=0.5,
            depth_mult=0.34, decoder_n_points=[2, 2, 2], **shared,
        )  # fmt: skip
    else:
        backbone = hub.RTDetrResNetConfig(
            embedding_size=8,
            hidden_sizes=[8, 16, 24, 32],
            depths=[1] * 4,
            layer_type="basic",
            **out,
        )
        config = hub.RTDetrConfig(
            backbone_config=backbone, encoder_in_channels=[16, 24, 32], decoder_n_points=2, **shared
        )
    size = {"height": side, "width": side}
    model = hub.AutoModelForObjectDetection.from_config(config)
    return model.eval(), hub.RTDetrImageProcessor(size=size)


def random_segmenter(kind: SegmenterKind, labels: Sequence[str], *, side: int = 128) -> Any:
    """A SegFormer (Xie et al., 2021) or Mask2Former (Cheng et al., 2022) with its processor.

    Args:
        kind: Which.
        labels: What it tells apart.
        side: Pixels to which images are brought; a multiple of 32.

    Returns:
        (model, processor) of transformers, without any skill.
    """
    import transformers

    hub: Any = transformers  # its configurations' signatures are not those they accept

    size, names = {"height": side, "width": side}, _names(labels)
    if kind == "segformer":
        config = hub.SegformerConfig(
            depths=[1] * 4, hidden_sizes=[8, 16, 24, 32], num_attention_heads=[1, 2, 3, 4],
            mlp_ratios=[2] * 4, decoder_hidden_size=32, **names,
        )  # fmt: skip
        plain = hub.AutoModelForSemanticSegmentation.from_config(config)
        return plain.eval(), hub.SegformerImageProcessor(size=size)
    backbone = hub.SwinConfig(
        embed_dim=8, depths=[1] * 4, num_heads=[1, 1, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = hub.Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32,
        encoder_feedforward_dim=48, dim_feedforward=48, encoder_layers=1, decoder_layers=2,
        num_attention_heads=4, num_queries=20, **names,
    )  # fmt: skip
    masked = hub.AutoModelForUniversalSegmentation.from_config(config)
    return masked.eval(), hub.Mask2FormerImageProcessor(size=size)


def _names(labels: Sequence[str]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {name: number for number, name in enumerate(labels)},
    }

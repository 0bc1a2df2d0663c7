"""The four services of Zhiyin: gateway, profile, segmentation, engagement."""

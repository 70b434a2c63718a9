"""What the stock indexing image cannot do is known before anybody waits for it."""

import pytest
from ansible_collections.gen3.uploads.plugins.module_utils._gen3.stock_image import cannot_index, is_stock, warning

STOCK = "quay.io/cdis/indexs3client:2025.12"
OURS = "registry.example.org/gen3/indexer:3f2a91"


@pytest.mark.parametrize(("image", "stock"), [
    (STOCK, True), ("mirror.example.org:5000/cdis/indexs3client@sha256:0", True), ("indexs3client", True),
    (OURS, False), ("registry.example.org/my-indexs3client-fork:1", False), (None, False), ("", False),
])
def test_the_stock_image_is_known_by_its_name(image, stock):
    assert is_stock(image) is stock and bool(warning("indexing", image)) is stock


@pytest.mark.parametrize("name", ["100%.txt", "lit%20eral.txt", 'say "hi".txt', "back\\slash", "what?", "no#1"])
def test_names_that_it_never_indexes(name):
    assert cannot_index(STOCK, f"guid/{name}") and not cannot_index(OURS, f"guid/{name}")


@pytest.mark.parametrize("name", ["a b.txt", "ü€.bam", "a+b&c=d;e.txt", "it's (1).txt"])
def test_other_names_are_no_trouble(name):
    assert not cannot_index(STOCK, f"guid/{name}")

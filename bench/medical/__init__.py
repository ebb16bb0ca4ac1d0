"""The medical case measured on public sets, which lie beside the checkout and not in it."""

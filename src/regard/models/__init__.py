"""Networks with attention inside, and the search that decodes them."""

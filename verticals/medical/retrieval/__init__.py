"""From a question to ranked passages: BM25, vectors, fusion and a learned reranker."""

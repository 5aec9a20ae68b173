"""Numbers into sentences: the one place that may say what a picture shows.

A sentence here is made from the arrays that it is about, and says nothing that was not looked up in them. Its values
are kept as numbers (:attr:`seqviz.language.Sentence.values`), so that whoever doubts it can compute them again.
Imports numpy, the language and the vocabulary.
"""

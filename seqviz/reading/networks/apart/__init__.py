"""What is read in a process of its own that can be killed; it imports no more of seqviz than lies in this room.

HDF5 and ONNX are read by libraries in C and C++, on bytes that anybody may have written. The child says what a file
holds as plain records; what they mean is decided by who started it, in :mod:`seqviz.reading.networks.started`.
"""

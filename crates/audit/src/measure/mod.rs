//! Norms and other sums over tensors, at the speed of memory.

//! A reader that stalls, files without end and without number: nothing lost, memory flat, descriptors few.

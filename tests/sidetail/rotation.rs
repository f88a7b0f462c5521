//! Rotation by others, in every way that loses lines elsewhere.

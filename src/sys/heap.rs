//! Free pages of the heap, returned to the kernel: the first look at a thousand paths leaves many.

#![allow(unsafe_code, reason = "the C library's own function has no other name here")]

/// Returns the pages of the heap that nothing is left in to the kernel; with another C library than GNU's nothing happens.
///
/// Source: malloc_trim(3).
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        malloc_trim(0);
    }
}

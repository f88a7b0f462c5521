//! Returns free heap pages to the kernel: the first look at a thousand paths leaves many.

#![allow(unsafe_code, reason = "the C library's own function has no other name here")]

/// Returns unused heap pages to the kernel; does nothing with C libraries other than GNU's.
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

//! `raw`: byte for byte what the file holds.

use super::encoding::{Encoded, Encoding};

pub(super) static RAW: Encoding = Encoding { name: "raw", opening: |_, _| Box::default(), unit: Encoded::Line };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_looks_so() {
        let expected = "low\ndisk";
        assert_eq!(RAW.sample().trim_end(), expected);
    }
}

//! Every encoding, in the order in which people meet them.

use super::encoding::Encoding;
use super::{ecs_objects, gcp_objects, json_objects, prefixed_lines, raw_lines};

/// Every encoding; the first is the default.
pub static ENCODINGS: [&Encoding; 5] =
    [&raw_lines::RAW, &prefixed_lines::PREFIX, &json_objects::JSON, &ecs_objects::ECS, &gcp_objects::GCP];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_encoding_has_its_own_name_and_look() {
        let names: BTreeSet<_> = ENCODINGS.iter().map(|encoding| encoding.name).collect();
        let looks: BTreeSet<_> = ENCODINGS.iter().map(|encoding| encoding.sample()).collect();
        assert_eq!((names.len(), looks.len()), (ENCODINGS.len(), ENCODINGS.len()), "{names:?} {looks:?}");
    }
}

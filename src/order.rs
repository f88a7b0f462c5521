//! Sorting in little code.
//!
//! Pure. The standard library's sorts are fast, and 8 KiB of binary for each type that is sorted; what is sorted here is
//! sorted seldom, so one heap does it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Returns the items in the order of their keys; items of the same key keep theirs. In n log n steps.
pub fn sorted_by_key<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let keys = items.iter().flatten().enumerate().map(|(index, item)| Reverse((key(item), index)));
    let mut heap: BinaryHeap<_> = keys.collect();
    let mut sorted = Vec::with_capacity(items.len());
    while let Some(Reverse((_, index))) = heap.pop() {
        sorted.extend(items[index].take());
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sorted_is_in_order_and_stable() {
        let items = [(3, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (3, 'e'), (0, 'f')];
        let expected = [(0, 'f'), (1, 'b'), (1, 'd'), (2, 'c'), (3, 'a'), (3, 'e')];
        assert_eq!(sorted_by_key(items, |(key, _)| *key), expected);
        assert!(sorted_by_key(Vec::<u8>::new(), |byte| *byte).is_empty());
    }
}

//! A part of a file that most files never need: it takes room only from when it is first changed.

use std::ops::{Deref, DerefMut};

/// What a value is as long as nothing happened.
pub(crate) trait Usual: Clone + 'static {
    /// The value.
    const USUAL: &'static Self;
}

/// A value that is the usual one until it is changed.
#[derive(Debug, Clone)]
pub(crate) struct Rare<T>(Option<Box<T>>);

impl<T> Default for Rare<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Usual + PartialEq> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Usual + Eq> Eq for Rare<T> {}

impl<T: Usual + PartialEq> From<T> for Rare<T> {
    fn from(value: T) -> Self {
        Self(Some(value).filter(|value| value != T::USUAL).map(Box::new))
    }
}

impl<T: Usual> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::USUAL)
    }
}

impl<T: Usual> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(T::USUAL.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Usual for u64 {
        const USUAL: &'static Self = &7;
    }

    #[test]
    fn the_usual_value_takes_no_room_until_it_is_changed() {
        let mut value = Rare::from(7);
        assert!(*value == 7 && value.0.is_none());
        *value += 1;
        assert_eq!((*value, *Rare::from(9), *Rare::<u64>::default()), (8, 9, 7));
    }
}

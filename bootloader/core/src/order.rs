//! Sorting, small: that of the standard library takes 3 KiB of code for each
//! kind of thing that is sorted, to be fast on more than a bootloader has.

/// Sorts `items` by `key`; equal ones in any order. For a few hundred items at
/// most: Shell's sort, which needs no memory.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    for gap in [121, 40, 13, 4, 1] {
        for end in gap..items.len() {
            let mut at = end;
            while at >= gap && key(&items[at]) < key(&items[at - gap]) {
                items.swap(at, at - gap);
                at -= gap;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sort_by_key;
    use crate::fuzz::Rng;
    use core::cmp::Reverse;
    use std::vec::Vec;

    #[test]
    fn any_number_of_items_is_in_order() {
        let mut rng = Rng::new(1);
        for count in (0..40).chain([255, 700]) {
            let mut items: Vec<usize> = (0..count).map(|_| rng.below(count)).collect();
            let mut sorted = items.clone();
            sorted.sort_unstable();
            sort_by_key(&mut items, |&item| item);
            assert_eq!(items, sorted);
            sorted.reverse();
            sort_by_key(&mut items, |&item| Reverse(item));
            assert_eq!(items, sorted);
        }
    }
}

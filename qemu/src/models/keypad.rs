//! Model of keypad.

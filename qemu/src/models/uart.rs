//! Model of uart.

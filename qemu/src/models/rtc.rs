//! Model of rtc.

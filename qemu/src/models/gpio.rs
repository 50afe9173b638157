//! Model of gpio.

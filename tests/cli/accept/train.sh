echo model $1; cat data

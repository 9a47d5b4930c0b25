package cli

// Nearest is the word of a list that is the least letters apart from another, and how many
// that are.
func Nearest(word string, words []string) (best string, far int) {
	far = 1 << 30
	for _, w := range words {
		if n := distance(word, w); n < far {
			best, far = w, n
		}
	}
	return best, far
}

// distance is how many letters two words are apart, by Levenshtein.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

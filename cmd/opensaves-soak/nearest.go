package main

// nearest returns the name that is closest to a mistyped one, or "" where
// none is close: at most a third of its letters may differ.
func nearest(typed string, names []string) string {
	best, least := "", len(typed)/3+1
	if len(typed) > 64 {
		return ""
	}
	for _, name := range names {
		if d := distance(typed, name); d <= least && (best == "" || d < least) {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

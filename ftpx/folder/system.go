package folder

import "runtime"

// foldingSystem says that names in local folders differ by more than case. Both
// systems can have folders that do not; to take two names for one there costs an
// error, to take one for two would cost a file.
const foldingSystem = runtime.GOOS == "windows" || runtime.GOOS == "darwin"

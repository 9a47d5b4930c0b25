package conformance

type testCase struct {
	name string
	run  func(*env)
}

// cases is the suite, in the order in which it runs.
var cases = []testCase{
	{"Info", caseInfo},
	{"Ping", casePing},
	{"Stat", caseStat},
	{"StatMissing", caseStatMissing},
	{"StatLink", caseStatLink},

	{"Store", caseStore},
	{"StoreReplaces", caseStoreReplaces},
	{"StoreAppends", caseStoreAppends},
	{"StoreAppend", caseStoreAppend},
	{"StoreHints", caseStoreHints},
	{"StoreFileSource", caseStoreFileSource},
	{"StoreProgress", caseStoreProgress},
	{"StoreSourceFails", caseStoreSourceFails},
	{"StoreMissingFolder", caseStoreMissingFolder},
	{"StoreOntoFolder", caseStoreOntoFolder},

	{"Retrieve", caseRetrieve},
	{"RetrieveOffsets", caseRetrieveOffsets},
	{"RetrieveBeyondEnd", caseRetrieveBeyondEnd},
	{"RetrieveLimit", caseRetrieveLimit},
	{"RetrieveLimitKeeps", caseRetrieveLimitKeeps},
	{"RetrieveEnough", caseRetrieveEnough},
	{"RetrieveHints", caseRetrieveHints},
	{"RetrieveProgress", caseRetrieveProgress},
	{"RetrieveMissing", caseRetrieveMissing},
	{"RetrieveFolder", caseRetrieveFolder},
	{"RetrieveSinkFails", caseRetrieveSinkFails},

	{"List", caseList},
	{"ListMany", caseListMany},
	{"ListStops", caseListStops},
	{"ListMissing", caseListMissing},
	{"ListLinks", caseListLinks},
	{"Names", caseNames},
	{"FolderNames", caseFolderNames},

	{"Mkdir", caseMkdir},
	{"Rmdir", caseRmdir},
	{"Remove", caseRemove},
	{"Rename", caseRename},
	{"RenameReplaces", caseRenameReplaces},
	{"RenameMissing", caseRenameMissing},
	{"Chtimes", caseChtimes},
	{"Truncate", caseTruncate},
	{"Hash", caseHash},

	{"HostilePaths", caseHostilePaths},
	{"Permission", casePermission},
	{"Sequence", caseSequence},

	{"CanceledBefore", caseCanceledBefore},
	{"CanceledStore", caseCanceledStore},
	{"CanceledRetrieve", caseCanceledRetrieve},
	{"CanceledSource", caseCanceledSource},
	{"CloseTwice", caseCloseTwice},
	{"CloseFreesStore", caseCloseFreesStore},
	{"CloseFreesRetrieve", caseCloseFreesRetrieve},
	{"UseAfterClose", caseUseAfterClose},
	{"AskedMeanwhile", caseAskedMeanwhile},
}
